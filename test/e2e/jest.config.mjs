import base from '../../jest.config.mjs';

/** The end-to-end suite: one cluster, one thing after the other. Run by `npm run e2e`. */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/e2e/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
