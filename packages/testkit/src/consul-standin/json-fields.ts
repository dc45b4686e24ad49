/** A JSON document that is not what Go's decoder was told to expect. */
export class UnexpectedJson extends Error {}

/** The fields of a JSON object under their names in lower case: Go's decoder takes any spelling. */
export type Fields = ReadonlyMap<string, unknown>;

/** @throws {UnexpectedJson} for anything but an object or null, which counts as an empty one. */
export function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new UnexpectedJson("json: cannot unmarshal, an object is due");
  }
  return new Map(Object.entries(value ?? {}).map(([name, field]) => [name.toLowerCase(), field]));
}

/** A string, or "" where the field is absent or null. @throws {UnexpectedJson} for anything else. */
export function stringField(fields: Fields, name: string): string {
  const value = fields.get(name.toLowerCase()) ?? "";
  if (typeof value === "string") return value;
  throw new UnexpectedJson(
    `json: cannot unmarshal ${typeof value} into Go struct field ${name} of type string`,
  );
}

/** An unsigned number, or 0 where the field is absent or null. @throws {UnexpectedJson} for anything else. */
export function numberField(fields: Fields, name: string): number {
  const value = fields.get(name.toLowerCase()) ?? 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw new UnexpectedJson(
    `json: cannot unmarshal ${typeof value} into Go struct field ${name} of type uint64`,
  );
}
