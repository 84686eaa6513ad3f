import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// localhost by name, as the server is called: a browser sends the cookie of a sign-in only there.
export default defineConfig({ plugins: [vue()], server: { host: "localhost", port: 5173, strictPort: true } });
