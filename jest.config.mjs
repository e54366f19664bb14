export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.cache/', '<rootDir>/dist/'],
  collectCoverageFrom: ['src/**/*.ts'],
  // The end-to-end suite needs a real node and a while: `npm run e2e`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/e2e/'],
  // Counters in the code. V8's own coverage is taken of all that a worker has ever loaded, after each file, and costs a tenth of the CPU.
  coverageProvider: 'babel',
  coverageThreshold: { global: { lines: 85 } },
  // A wait that is in vain says for what, where a test that is cut off does not: room for several of them.
  testTimeout: 300_000,
  // Module registries of finished suites are not given back; a worker that holds too much of them is replaced.
  workerIdleMemoryLimit: '1GB',
};
