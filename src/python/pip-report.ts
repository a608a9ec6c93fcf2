/** What `pip install --report` writes, version 1, as far as locking reads it. */
import { D2nError } from "../base/index.ts";
import * as v from "valibot";

const archiveInfo = v.looseObject({
  /** `algorithm=hex`, the older form. */
  hash: v.optional(v.nullable(v.string())),
  hashes: v.optional(v.nullable(v.record(v.string(), v.string()))),
});

const vcsInfo = v.looseObject({
  vcs: v.string(),
  commit_id: v.string(),
  requested_revision: v.optional(v.nullable(v.string())),
});

const installItem = v.looseObject({
  download_info: v.looseObject({
    url: v.string(),
    archive_info: v.optional(archiveInfo),
    vcs_info: v.optional(vcsInfo),
    dir_info: v.optional(v.looseObject({ editable: v.optional(v.boolean()) })),
    subdirectory: v.optional(v.nullable(v.string())),
  }),
  is_direct: v.optional(v.boolean(), false),
  is_yanked: v.optional(v.boolean(), false),
  requested: v.optional(v.boolean(), false),
  requested_extras: v.optional(v.array(v.string()), []),
  metadata: v.looseObject({
    name: v.string(),
    version: v.string(),
    requires_dist: v.optional(v.array(v.string()), []),
    provides_extra: v.optional(v.array(v.string()), []),
  }),
});

const report = v.looseObject({
  version: v.optional(v.string(), "1"),
  pip_version: v.optional(v.string()),
  install: v.array(installItem),
  environment: v.record(v.string(), v.string()),
});

export type PipReport = v.InferOutput<typeof report>;
export type PipReportItem = v.InferOutput<typeof installItem>;

/** @throws D2nError `lock-report-malformed` naming the first place that is wrong */
export function parsePipReport(text: string): PipReport {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw malformed("it is not JSON", error);
  }
  const result = v.safeParse(report, data);
  if (!result.success) {
    const [issue] = result.issues;
    throw malformed(`${v.getDotPath(issue) ?? "it"}: ${issue.message}`, undefined);
  }
  const { version } = result.output;
  if (!/^[01](?:\.|$)/.test(version))
    throw malformed(`its format has version ${version}, and this d2n reads version 1`, undefined);
  return result.output;
}

function malformed(why: string, cause: unknown): D2nError {
  return new D2nError("lock-report-malformed", `pip's report cannot be read: ${why}`, {
    hint: "pip writes reports since 22.2; choose such a version with the option pip.pipVersion.",
    cause,
  });
}
