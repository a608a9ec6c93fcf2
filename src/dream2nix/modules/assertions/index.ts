import { defineModule, mkOption, type ModuleScope, type NativeModule } from "../../../modules/index.ts";
import { Dream2nixError, moduleFile } from "../../support.ts";

export const assertions: NativeModule = defineModule({
  file: moduleFile("assertions"),
  options: ({ types }) => ({
    assertions: mkOption({
      type: types.listOf(types.unspecified),
      internal: true,
      default: [],
      example: [{ assertion: false, message: "you cannot enable this for that reason" }],
      description:
        "Conditions that must hold for the package to be built, each with the message to show when it does not.",
    }),
    warnings: mkOption({
      type: types.listOf(types.str),
      internal: true,
      default: [],
      example: ["The option `foo` is deprecated."],
      description: "Messages to show to whoever evaluates the package.",
    }),
  }),
});

/** Shows the warnings and fails if an assertion does not hold. Modules that make derivations call it first. */
export function checkAssertions(m: ModuleScope): void {
  const { config } = m;
  if (config.has("assertions")) {
    const failed = config
      .at("assertions")
      .list()
      .filter((assertion) => !assertion.at("assertion").bool())
      .map((assertion) => assertion.at("message").textWithoutContext());
    if (failed.length > 0)
      throw new Dream2nixError(
        "evaluation",
        `failed assertion${failed.length > 1 ? "s" : ""} of ${config.at("name").textWithoutContext()}:\n${failed.map((message) => `- ${message}`).join("\n")}`,
      );
  }
  if (config.has("warnings"))
    for (const warning of config.at("warnings").list()) m.ev.host.message("warning", warning.textWithoutContext());
}
