/** Inputs, in base64, that once broke a reader: they stay, whatever the generator does later. */
export const found: Readonly<Record<string, readonly string[]>> = {
  // <<: *a (an alias without its anchor) and &a [*a] (a list that contains itself)
  "config, YAML": ["PDw6ICph", "JmEgWyphXQ=="],
  // null
  "safetensors header": ["bnVsbA=="],
};
