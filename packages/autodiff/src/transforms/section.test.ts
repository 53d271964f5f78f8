import { expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";
import { compile } from "../runtime/session.js";
import { section } from "./section.js";

let middle: Value | undefined;
const whole = graph((b) => {
  const [x, w] = [b.input("x", ["n", 2]), b.input("w", [2])];
  middle = b.tanh(b.mul(x, w));
  return { output: b.mul(middle, w) };
});

test("two sections, one after the other, compute what the graph does", async () => {
  const first = section(whole, { from: {}, to: { middle: middle! } });
  const second = section(whole, { from: { middle: middle! }, to: { output: whole.outputs["output"]! } });
  expect(Object.keys(second.inputs).sort()).toEqual(["middle", "w"]);
  const feeds = { x: [1, 2, 3, 4], w: [0.5, -2] };
  const [all, left, right] = await Promise.all([whole, first, second].map((each) => compile(each)));
  const between = (await left!.run(feeds))["middle"]!;
  const found = (await right!.run({ w: feeds.w, middle: between }))["output"]!;
  expect(found).toEqual((await all!.run(feeds))["output"]);
  await Promise.all([all!, left!, right!].map((session) => session.dispose()));
});

test("a name that the graph has is refused", () => {
  expect(() => section(whole, { from: { w: middle! }, to: {} })).toThrow('has an input "w" already');
});
