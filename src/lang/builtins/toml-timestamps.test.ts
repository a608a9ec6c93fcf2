import { describe, expect, it } from "vitest";
import { markTimestamps } from "./toml-timestamps.ts";

/** The values that were found, in order. */
function found(text: string): string[] {
  const { text: marked, timestampOf } = markTimestamps(text);
  return [...marked.matchAll(/"(timestamp[^"]*)"/g)].map((match) => timestampOf(match[1]!) ?? "");
}

describe("markTimestamps", () => {
  it("finds dates and times, to the nanosecond", () => {
    expect(
      found("a = 1979-05-27t07:32:00.1234567891z\nb = 1979-05-27 07:32:00.1\nc = 1979-05-27\nd = 07:32:00"),
    ).toEqual(["1979-05-27T07:32:00.123456789Z", "1979-05-27T07:32:00.100", "1979-05-27", "07:32:00"]);
  });

  it("within arrays and inline tables", () => {
    expect(found("a = [ 1979-05-27, [ 07:32:00 ] ]\nb = { c = 1979-05-28, d = 1 }\ne = 1979-05-29")).toEqual([
      "1979-05-27",
      "07:32:00",
      "1979-05-28",
      "1979-05-29",
    ]);
  });

  it("leaves keys, strings, comments and numbers alone", () => {
    const text = [
      "1979-05-27 = 1",
      "[2001-01-01]",
      'a = "1979-05-27"',
      "b = '1979-05-27' # 1979-05-27",
      'c = """',
      '1979-05-27 \\""" 1979-05-27"""',
      "d = 1979",
      "e = { 1979-05-27 = 2 }",
    ].join("\n");
    expect(markTimestamps(text).text).toBe(text);
  });

  it("takes a mark that the text does not have", () => {
    const { text, timestampOf } = markTimestamps('a = "timestamp1"\nb = 1979-05-27');
    expect(timestampOf("timestamp1")).toBeUndefined();
    expect(text).toContain('"timestamp_1979-05-27"');
  });
});
