import { everythingOccurs, promisesHold } from "./seeds.js";

// Split over files: each has a processor to itself.
promisesHold(1, 10_000);
everythingOccurs();
