import { describe, expect, it } from "vitest";
import { bestWheel, wheelRanks } from "./wheel-tags.ts";

const linux = wheelRanks({ pythonVersion: "3.13.5", system: "x86_64-linux", libraryVersion: "2.41" });

describe("the order of wheel tags", () => {
  it("begins and ends as packaging.tags.sys_tags does", () => {
    const tags = [...linux.keys()];
    expect(tags.slice(0, 2)).toEqual(["cp313-cp313-manylinux_2_41_x86_64", "cp313-cp313-manylinux_2_40_x86_64"]);
    expect(tags.slice(-15)).toEqual(
      [
        "cp313-none-any",
        "py313-none-any",
        "py3-none-any",
        ...Array.from({ length: 13 }, (_, index) => `py3${12 - index}-none-any`),
      ].slice(-15),
    );
    const at = (tag: string): number => tags.indexOf(tag);
    expect(at("cp313-cp313-manylinux2014_x86_64")).toBe(at("cp313-cp313-manylinux_2_17_x86_64") + 1);
    expect(at("cp313-cp313-manylinux1_x86_64")).toBe(at("cp313-cp313-manylinux_2_5_x86_64") + 1);
    expect(at("cp313-cp313-linux_x86_64")).toBeLessThan(at("cp313-abi3-manylinux_2_41_x86_64"));
    expect(at("cp313-none-linux_x86_64")).toBeLessThan(at("cp312-abi3-manylinux_2_41_x86_64"));
    expect(at("cp32-abi3-linux_x86_64")).toBeLessThan(at("py313-none-manylinux_2_41_x86_64"));
    expect(linux.has("cp313-cp313-musllinux_1_2_x86_64")).toBe(false);
    expect(linux.has("cp312-cp312-linux_x86_64")).toBe(false);
  });

  it("knows other machines", () => {
    const arm = wheelRanks({ pythonVersion: "3.11.2", system: "aarch64-linux", libraryVersion: "2.36" });
    expect(arm.has("cp311-cp311-manylinux_2_17_aarch64")).toBe(true);
    expect(arm.has("cp311-cp311-manylinux2010_aarch64")).toBe(false);
    const musl = wheelRanks({ pythonVersion: "3.11.2", system: "x86_64-linux", libraryVersion: "1.2", musl: true });
    expect(musl.has("cp311-cp311-musllinux_1_1_x86_64")).toBe(true);
    expect(musl.has("cp311-cp311-manylinux_2_17_x86_64")).toBe(false);
    const mac = wheelRanks({ pythonVersion: "3.12.0", system: "aarch64-darwin", libraryVersion: "14.0" });
    expect([...mac.keys()][0]).toBe("cp312-cp312-macosx_14_0_arm64");
    expect(mac.has("cp312-cp312-macosx_10_9_universal2")).toBe(true);
    expect(mac.has("cp312-cp312-macosx_10_9_x86_64")).toBe(false);
  });
});

describe("the best wheel", () => {
  it.each([
    [["a-1-py3-none-any.whl", "a-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"], 1],
    [["a-1-cp313-cp313-manylinux_2_17_x86_64.whl", "a-1-cp313-cp313-manylinux_2_28_x86_64.whl"], 1],
    [["a-1-cp39-abi3-manylinux_2_28_x86_64.whl", "a-1-cp311-abi3-manylinux_2_28_x86_64.whl"], 1],
    [["a-1-cp313-cp313t-manylinux_2_28_x86_64.whl", "a-1-py2.py3-none-any.whl"], 1],
    [["a-1-1-py3-none-any.whl", "a-1-2-py3-none-any.whl"], 1],
    [["a-1.tar.gz", "nonsense.whl"], -1],
    [["a-1-cp313-cp313-win_amd64.whl", "a-1-cp313-cp313-ios_13_0_arm64_iphoneos.whl"], -1],
    [["a-1-cp313-cp313-manylinux_2_99_x86_64.whl"], -1],
  ])("of %j is number %i", (names, index) => {
    expect(bestWheel(names, linux)).toBe(index < 0 ? undefined : names[index]);
  });
});
