import pc from "picocolors";
import { expect, test } from "vitest";
import { pairs, table } from "./table.js";

test("columns line up, numbers to the right, nothing but spaces between", () => {
  const drawn = table(
    [{ title: "run" }, { title: "K", align: "right" }],
    [
      ["a", "0.30"],
      ["longer", "12.1"],
    ],
    pc.createColors(false),
  );
  expect(drawn).toBe(["run        K", "a       0.30", "longer  12.1"].join("\n"));
});

test("colours do not count towards the width", () => {
  const colours = pc.createColors(true);
  const drawn = table([{ title: "v" }, { title: "w" }], [[colours.red("ab"), "x"]], colours);
  // eslint-disable-next-line no-control-regex -- the escape sequences are what is tested
  expect(drawn.replace(/\u001b\[\d+m/g, "")).toBe(["v   w", "ab  x"].join("\n"));
});

test("pairs pad the names", () => {
  expect(
    pairs(
      [
        ["a", "1"],
        ["long", "2"],
      ],
      pc.createColors(false),
    ),
  ).toBe("a     1\nlong  2");
});
