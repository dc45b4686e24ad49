import { promisesHold } from "./seeds.js";

// Split over files: each has a processor to itself.
promisesHold(20_001, 10_000);
