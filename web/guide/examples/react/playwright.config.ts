import { defineConfig } from "@playwright/test";

const server = process.env.VITE_TASKAPI ?? "http://localhost:8000";

export default defineConfig({
  testDir: "tests",
  workers: 1, // each test resets the server
  use: {
    baseURL: "http://localhost:5173",
    // The Chrome of this machine, or what CHROMIUM names. For a browser of Playwright's own, leave both
    // out and run: npx playwright install chromium
    ...(process.env.CHROMIUM ? { launchOptions: { executablePath: process.env.CHROMIUM } } : { channel: "chrome" }),
  },
  // What runs already is used as it is.
  webServer: [
    { command: "taskapi dev", url: `${server}/readyz`, reuseExistingServer: true },
    { command: "npm run dev", url: "http://localhost:5173", reuseExistingServer: true },
  ],
});
