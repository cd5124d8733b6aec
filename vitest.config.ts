// Tests run beside what they test, on one real PostgreSQL server that is started once for the whole run.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'var/**'],
    globalSetup: ['./db/testing.server.ts'],
    // Generous, for slow machines: a test that waits says itself what it waits for.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    maxWorkers: 2,
    // Files share the modules of a worker, which are imported once: no module does work when imported, and each file has its own database and house.
    isolate: false,
    reporters: process.env.CI ? ['default'] : ['dot'],
  },
})
