import { defineModule, type NativeModule } from "../../../modules/index.ts";
import { moduleFile } from "../../support.ts";
import { assertions } from "../assertions/index.ts";
import { deps } from "../deps/index.ts";
import { docs } from "../docs/index.ts";
import { env } from "../env/index.ts";
import { lock } from "../lock/index.ts";
import { paths } from "../paths/index.ts";
import { publicModule } from "../public/index.ts";
import { ui } from "../ui/index.ts";

/** What every package has. */
export const core: NativeModule = defineModule({
  file: moduleFile("core"),
  imports: () => [assertions, docs, deps, env, lock, paths, publicModule, ui],
});
