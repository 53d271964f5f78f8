export {
  controlPlan,
  decisionSteps,
  initialState,
  type ControlAction,
  type ControlInput,
  type ControlPlan,
  type ControlReading,
  type ControlSettings,
  type ControlState,
} from "./controller.js";
export { decide, rewind, type Decided } from "./decide.js";
export { laws, type Law, type Wish } from "./laws.js";
export { replay } from "./replay.js";
