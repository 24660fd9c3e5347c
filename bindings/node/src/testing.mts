/** @file The same for ES modules. */

export * from './testing.js'
