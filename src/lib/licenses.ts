/** `lib.licenses`: the licenses that packages name, with their SPDX identifiers. */
import { Attrs, type Lazy } from "../lang/index.ts";

/** Attribute name, SPDX identifier, full name; a star marks what is not free. */
const TABLE = `
afl3 | AFL-3.0 | Academic Free License v3.0
agpl3Only | AGPL-3.0-only | GNU Affero General Public License v3.0 only
agpl3Plus | AGPL-3.0-or-later | GNU Affero General Public License v3.0 or later
apsl20 | APSL-2.0 | Apple Public Source License 2.0
artistic1 | Artistic-1.0 | Artistic License 1.0
artistic2 | Artistic-2.0 | Artistic License 2.0
asl20 | Apache-2.0 | Apache License 2.0
blueOak100 | BlueOak-1.0.0 | Blue Oak Model License 1.0.0
boost | BSL-1.0 | Boost Software License 1.0
bsd0 | 0BSD | BSD Zero Clause License
bsd1 | BSD-1-Clause | BSD 1-Clause License
bsd2 | BSD-2-Clause | BSD 2-clause "Simplified" License
bsd2Patent | BSD-2-Clause-Patent | BSD-2-Clause Plus Patent License
bsd3 | BSD-3-Clause | BSD 3-clause "New" or "Revised" License
bsdOriginal | BSD-4-Clause | BSD 4-clause "Original" or "Old" License
bsl11 | BUSL-1.1 | Business Source License 1.1 | *
bzip2 | bzip2-1.0.6 | bzip2 and libbzip2 License v1.0.6
cc0 | CC0-1.0 | Creative Commons Zero v1.0 Universal
cc-by-30 | CC-BY-3.0 | Creative Commons Attribution 3.0
cc-by-40 | CC-BY-4.0 | Creative Commons Attribution 4.0
cc-by-nc-40 | CC-BY-NC-4.0 | Creative Commons Attribution Non Commercial 4.0 | *
cc-by-nc-sa-40 | CC-BY-NC-SA-4.0 | Creative Commons Attribution Non Commercial Share Alike 4.0 | *
cc-by-nd-40 | CC-BY-ND-4.0 | Creative Commons Attribution-No Derivative Works 4.0 | *
cc-by-sa-30 | CC-BY-SA-3.0 | Creative Commons Attribution Share Alike 3.0
cc-by-sa-40 | CC-BY-SA-4.0 | Creative Commons Attribution Share Alike 4.0
cddl | CDDL-1.0 | Common Development and Distribution License 1.0
cecill20 | CECILL-2.0 | CeCILL Free Software License Agreement v2.0
cecill21 | CECILL-2.1 | CeCILL Free Software License Agreement v2.1
cecill-b | CECILL-B | CeCILL-B Free Software License Agreement
cecill-c | CECILL-C | CeCILL-C Free Software License Agreement
cpal10 | CPAL-1.0 | Common Public Attribution License 1.0
cpl10 | CPL-1.0 | Common Public License 1.0
curl | curl | curl License
ecl20 | ECL-2.0 | Educational Community License v2.0
efl20 | EFL-2.0 | Eiffel Forum License v2.0
elastic20 | Elastic-2.0 | Elastic License 2.0 | *
epl10 | EPL-1.0 | Eclipse Public License 1.0
epl20 | EPL-2.0 | Eclipse Public License 2.0
eupl11 | EUPL-1.1 | European Union Public License 1.1
eupl12 | EUPL-1.2 | European Union Public License 1.2
fdl13Only | GFDL-1.3-only | GNU Free Documentation License v1.3 only
fdl13Plus | GFDL-1.3-or-later | GNU Free Documentation License v1.3 or later
ftl | FTL | Freetype Project License
gpl1Only | GPL-1.0-only | GNU General Public License v1.0 only
gpl1Plus | GPL-1.0-or-later | GNU General Public License v1.0 or later
gpl2Only | GPL-2.0-only | GNU General Public License v2.0 only
gpl2Plus | GPL-2.0-or-later | GNU General Public License v2.0 or later
gpl3Only | GPL-3.0-only | GNU General Public License v3.0 only
gpl3Plus | GPL-3.0-or-later | GNU General Public License v3.0 or later
hpnd | HPND | Historic Permission Notice and Disclaimer
icu | ICU | ICU
ijg | IJG | Independent JPEG Group License
imagemagick | ImageMagick | ImageMagick License
ipl10 | IPL-1.0 | IBM Public License v1.0
isc | ISC | ISC License
lgpl2Only | LGPL-2.0-only | GNU Library General Public License v2 only
lgpl2Plus | LGPL-2.0-or-later | GNU Library General Public License v2 or later
lgpl21Only | LGPL-2.1-only | GNU Lesser General Public License v2.1 only
lgpl21Plus | LGPL-2.1-or-later | GNU Lesser General Public License v2.1 or later
lgpl3Only | LGPL-3.0-only | GNU Lesser General Public License v3.0 only
lgpl3Plus | LGPL-3.0-or-later | GNU Lesser General Public License v3.0 or later
libpng | Libpng | libpng License
libpng2 | libpng-2.0 | PNG Reference Library version 2
libtiff | libtiff | libtiff License
lppl13c | LPPL-1.3c | LaTeX Project Public License v1.3c
mit | MIT | MIT License
mit0 | MIT-0 | MIT No Attribution
mit-cmu | MIT-CMU | CMU License
mpl10 | MPL-1.0 | Mozilla Public License 1.0
mpl11 | MPL-1.1 | Mozilla Public License 1.1
mpl20 | MPL-2.0 | Mozilla Public License 2.0
ms-pl | MS-PL | Microsoft Public License
ncsa | NCSA | University of Illinois/NCSA Open Source License
ofl | OFL-1.1 | SIL Open Font License 1.1
openldap | OLDAP-2.8 | Open LDAP Public License v2.8
openssl | OpenSSL | OpenSSL License
osl3 | OSL-3.0 | Open Software License 3.0
php301 | PHP-3.01 | PHP License v3.01
postgresql | PostgreSQL | PostgreSQL License
psfl | Python-2.0 | Python Software Foundation License version 2
ruby | Ruby | Ruby License
sgi-b-20 | SGI-B-2.0 | SGI Free Software License B v2.0
sissl11 | SISSL | Sun Industry Standards Source License v1.1
sleepycat | Sleepycat | Sleepycat License
sspl | SSPL-1.0 | Server Side Public License | *
tcltk | TCL | TCL/TK License
unicode-30 | Unicode-3.0 | Unicode License v3
unicode-dfs-2016 | Unicode-DFS-2016 | Unicode License Agreement - Data Files and Software (2016)
unlicense | Unlicense | The Unlicense
upl | UPL-1.0 | Universal Permissive License 1.0
vim | Vim | Vim License
w3c | W3C | W3C Software Notice and License
wtfpl | WTFPL | Do What The F*ck You Want To Public License
x11 | X11 | X11 License
xfig | Xfig | Xfig License
zlib | Zlib | zlib License
zpl20 | ZPL-2.0 | Zope Public License 2.0
zpl21 | ZPL-2.1 | Zope Public License 2.1
`;

/** Licenses without an SPDX identifier: name, full name, free, redistributable. */
const OTHERS: readonly (readonly [string, string, boolean, boolean])[] = [
  ["free", "Unspecified free software license", true, true],
  ["publicDomain", "Public Domain", true, true],
  ["unfree", "Unfree", false, false],
  ["unfreeRedistributable", "Unfree redistributable", false, true],
  ["unfreeRedistributableFirmware", "Unfree redistributable firmware", false, true],
];

/** Old names that are still in use. */
const ALIASES: Readonly<Record<string, string>> = {
  agpl3: "agpl3Only",
  gpl2: "gpl2Only",
  gpl3: "gpl3Only",
  lgpl2: "lgpl2Only",
  lgpl21: "lgpl21Only",
  lgpl3: "lgpl3Only",
};

function license(
  name: string,
  fields: readonly (readonly [string, Lazy])[],
  free: boolean,
  redistributable: boolean,
): Attrs {
  return Attrs.from([
    ["shortName", name],
    ...fields,
    ["free", free],
    ["redistributable", redistributable],
    ["deprecated", false],
  ]);
}

export function licenses(): Readonly<Record<string, Attrs>> {
  const found: Record<string, Attrs> = {};
  for (const line of TABLE.trim().split("\n")) {
    const [name, id, full, unfree] = line.split(" | ");
    const fields: [string, Lazy][] = [
      ["spdxId", id!],
      ["fullName", full!],
      ["url", `https://spdx.org/licenses/${id}.html`],
    ];
    found[name!] = license(name!, fields, unfree === undefined, true);
  }
  for (const [name, full, free, redistributable] of OTHERS)
    found[name] = license(name, [["fullName", full]], free, redistributable);
  for (const [old, name] of Object.entries(ALIASES)) found[old] = found[name]!;
  return found;
}
