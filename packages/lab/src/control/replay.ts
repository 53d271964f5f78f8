import type { ControlAction, ControlPlan } from "./controller.js";
import { decide, rewind } from "./decide.js";

/** Makes a stored decision again, from what it was made from. */
export function replay(plan: ControlPlan, { action, rewoundTo, input, state }: ControlAction): ControlAction | null {
  if (action === "rewind") return rewind(plan, state, input, rewoundTo!)?.action ?? null;
  return decide(plan, state, input).action;
}
