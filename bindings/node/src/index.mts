/** @file The same for ES modules: one set of classes, whichever way the package is loaded. */

export * from './index.js'
