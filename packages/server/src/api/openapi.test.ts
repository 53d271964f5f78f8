import { expect, test } from "vitest";
import { testStore } from "../testing/events.js";
import { createApp } from "./app.js";

interface Operation {
  parameters: { name: string; in: string; required: boolean; description: string; schema: { type: string } }[];
  responses: Record<string, { content: Record<string, { schema: { properties: object; required: string[] } }> }>;
}
interface Document {
  openapi: string;
  info: { version: string };
  paths: Record<string, { get: Operation }>;
  components: { schemas: Record<string, { properties: object }> };
}

async function document(): Promise<Document> {
  const response = await createApp(testStore()).request("/api/v1/openapi.json");
  return (await response.json()) as Document;
}

// MLflow describes its own.
test("every route of the API is described", async () => {
  const app = createApp(testStore());
  const routes = app.routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/v1/"));
  const offered = routes.map(({ method, path }) => `${method} ${path.replace("{.+}", "").replace(/:(\w+)/g, "{$1}")}`);
  const described = Object.entries((await document()).paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const expected = [...new Set(offered)].filter((route) => route !== "GET /api/v1/openapi.json");
  expect(described.sort()).toEqual(expected.sort());
});

test("parameters are described as a client sends them", async () => {
  const { paths } = await document();
  const { parameters } = paths["/api/v1/runs/{id}/metrics"]!.get;
  expect(parameters.map(({ name, in: place, required, schema }) => [name, place, required, schema.type])).toEqual([
    ["id", "path", true, "string"],
    ["keys", "query", false, "string"],
    ["afterStep", "query", false, "integer"],
    ["points", "query", false, "integer"],
  ]);
  expect(parameters.every(({ description }) => description.length > 0)).toBe(true);
  const many = paths["/api/v1/metrics"]!.get.parameters.find(({ name }) => name === "runs");
  expect(many).toMatchObject({ in: "query", required: true });
});

test("answers are described by the schemas that tests hold them to", async () => {
  const { openapi, info, paths, components } = await document();
  expect([openapi, info.version]).toEqual(["3.1.1", "0.1.0"]);
  const health = paths["/api/v1/health"]!.get.responses[200]!.content["application/json"]!.schema;
  expect(Object.keys(health.properties)).toEqual(["status", "version", "store", "cursor"]);
  expect(health.required).toEqual(["status", "version", "store", "cursor"]);
  expect(Object.keys(components.schemas.Error!.properties)).toEqual(["code", "message", "path"]);
  expect(components.schemas.RunSummary!.properties).toHaveProperty("verdict");
});
