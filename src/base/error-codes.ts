/**
 * Every error code with its explanation; `docs/errors.md` is generated from it. Codes are kebab-case, never reused and never
 * renamed: users search for them. Keep the list sorted.
 */
export const errorCodes = {
  evaluation: "A Nix expression could not be evaluated; the message says where and why.",
  interrupted: "The user interrupted the work; what was half done has been cleaned up.",
  usage: "The command line is not one that d2n understands.",
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;
