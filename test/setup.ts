import fc from "fast-check";

/** One seed for every property test, so that a failure here is the same failure everywhere. */
fc.configureGlobal({ seed: 20_240_419 });
