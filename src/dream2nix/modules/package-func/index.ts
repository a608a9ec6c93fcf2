import { contextOf, type Lazy, type Native } from "../../../lang/index.ts";
import { defineModule, type ModuleScope, type NativeModule, type View } from "../../../modules/index.ts";
import { later, libCall, moduleFile, once, unique } from "../../support.ts";
import { checkAssertions } from "../assertions/index.ts";
import { publicModule } from "../public/index.ts";
import { packageFuncInterface } from "./interface.ts";

/** Joins functions that make packages (`mkDerivation`, `buildPythonPackage`, …) to the module system. */
export const packageFunc: NativeModule = defineModule({
  file: moduleFile("package-func"),
  args: ["extendModules"],
  imports: () => [packageFuncInterface, publicModule],
  config: (m) => ({
    "package-func": {
      result: later(() => {
        checkAssertions(m);
        return m.config.at("package-func", "func").call(m.config.at("package-func", "args"));
      }),
    },
    public: later(() => publicPackage(m, m.extendModules)),
  }),
});

function publicPackage(m: ModuleScope, extendModules: View): Native {
  const result = m.config.at("package-func", "result");
  const outputs = unique(m.config.at("package-func", "outputs").texts());
  const first = (): View => m.system.view(libCall(m, "getFirstOutput", outputs, result), "package-func.result");
  const warnOnce = once(() => warnIfSeveralDerivations(m, outputs, result));
  const ofFirst = (attribute: string): Lazy =>
    later(() => {
      warnOnce();
      return first().at(attribute);
    });
  return {
    ...Object.fromEntries(outputs.map((output) => [output, result.at(output)])),
    outputs,
    config: m.config,
    extendModules,
    drvPath: ofFirst("drvPath"),
    outPath: ofFirst("outPath"),
    outputName: ofFirst("outputName"),
    type: "derivation",
  };
}

function warnIfSeveralDerivations(m: ModuleScope, outputs: readonly string[], result: View): void {
  if (outputs.length < 2) return;
  const origins = outputs.map((output) =>
    [...(contextOf(result.at(output).coerced()) ?? [])].map((element) => element.replace(/^![^!]*!/, "")).join(" "),
  );
  if (new Set(origins).size === 1) return;
  m.ev.host.message(
    "warning",
    `the outputs of ${m.config.at("name").textWithoutContext()} are built by several derivations; its drvPath and outPath are those of the first. Refer to one of its outputs instead: ${outputs.map((output) => `.${output}`).join(", ")}`,
  );
}
