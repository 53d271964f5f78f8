export { advise } from "./advise.js";
export {
  adviceText,
  type Advice,
  type AdviceInput,
  type HeavyExample,
  type ResponsibleLayer,
  type Statement,
} from "./advice.js";
export { boundedCriticalValues, rateFactors } from "./bounds.js";
export { criticalValues, halfSystems, type CriticalValues } from "./critical.js";
export { bar, number, type Measured } from "./measured.js";
export { adviceInputOf, type AdvisedConfig, type RecordedDatum } from "./standing.js";
export { standingOf, verdict, type Standing, type Verdict } from "./verdict.js";
