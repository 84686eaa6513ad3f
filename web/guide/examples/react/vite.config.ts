import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// localhost by name, as the server is called: a browser sends the cookie of a sign-in only there.
export default defineConfig({ plugins: [react()], server: { host: "localhost", port: 5173, strictPort: true } });
