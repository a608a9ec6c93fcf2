/** `lib.licenses`: the licenses that packages name, with their SPDX identifiers. */
import { Attrs, type Lazy, utf8 } from "../lang/index.ts";

/**
 * Attribute name, SPDX identifier or `-`, full name; then what is so of few: `u` not free, `n` not to be passed on, `d` an old name;
 * then the short name where it is not the attribute's.
 */
const TABLE = `
abstyles | Abstyles | Abstyles License
acsl14 | - | Anti-Capitalist Software License v1.4 | un
activision | - | Activision EULA | un
adobeDisplayPostScript | Adobe-Display-PostScript | Adobe Display PostScript License
adobeUtopia | Adobe-Utopia | Adobe Utopia Font License
afl20 | AFL-2.0 | Academic Free License v2.0
afl21 | AFL-2.1 | Academic Free License v2.1
afl3 | AFL-3.0 | Academic Free License v3.0
agpl3Only | AGPL-3.0-only | GNU Affero General Public License v3.0 only
agpl3Plus | AGPL-3.0-or-later | GNU Affero General Public License v3.0 or later
aladdin | Aladdin | Aladdin Free Public License | un
amazonsl | - | Amazon Software License | un
amd | - | AMD License Agreement | un
aml | AML | Apple MIT License
ampas | AMPAS | Academy of Motion Picture Arts and Sciences BSD
aom | - | Alliance for Open Media Patent License 1.0
apple-psl10 | APSL-1.0 | Apple Public Source License 1.0
apple-psl20 | APSL-2.0 | Apple Public Source License 2.0
apsl10 | APSL-1.0 | Apple Public Source License 1.0 | d
apsl20 | APSL-2.0 | Apple Public Source License 2.0 | d
arphicpl | Arphic-1999 | Arphic Public License
artistic1 | Artistic-1.0 | Artistic License 1.0
artistic1-cl8 | Artistic-1.0-cl8 | Artistic License 1.0 w/clause 8
artistic2 | Artistic-2.0 | Artistic License 2.0
asl11 | Apache-1.1 | Apache License 1.1
asl20 | Apache-2.0 | Apache License 2.0
asl20-llvm | Apache-2.0 WITH LLVM-exception | Apache License 2.0 with LLVM Exceptions
baekmuk | Baekmuk | Baekmuk License
beerware | Beerware | Beerware License
bitstreamCharter | Bitstream-Charter | Bitstream Charter Font License
bitstreamVera | Bitstream-Vera | Bitstream Vera Font License
bitTorrent10 | BitTorrent-1.0 | BitTorrent Open Source License v1.0
bitTorrent11 | BitTorrent-1.1 | BitTorrent Open Source License v1.1
blueOak100 | BlueOak-1.0.0 | Blue Oak Model License 1.0.0
boehmGC | Boehm-GC | Boehm-Demers-Weiser GC License
bola11 | - | Buena Onda License Agreement 1.1
boost | BSL-1.0 | Boost Software License 1.0
bsd0 | 0BSD | BSD Zero Clause License
bsd1 | BSD-1-Clause | BSD 1-Clause License
bsd2 | BSD-2-Clause | BSD 2-clause "Simplified" License
bsd2Patent | BSD-2-Clause-Patent | BSD-2-Clause Plus Patent License
bsd2WithViews | BSD-2-Clause-Views | BSD 2-Clause with views sentence
bsd3 | BSD-3-Clause | BSD 3-clause "New" or "Revised" License
bsd3ClauseTso | BSD-3-Clause-Tso | BSD 3-Clause Tso variant
bsd3Clear | BSD-3-Clause-Clear | BSD 3-Clause Clear License
bsd3Lbnl | BSD-3-Clause-LBNL | Lawrence Berkeley National Labs BSD variant license
bsd3Modification | BSD-3-Clause-Modification | BSD 3-Clause Modification
bsdAxisNoDisclaimerUnmodified | - | BSD-Axis without Warranty Disclaimer with Unmodified requirement
bsdOriginal | BSD-4-Clause | BSD 4-clause "Original" or "Old" License
bsdOriginalShortened | BSD-4-Clause-Shortened | BSD 4 Clause Shortened
bsdOriginalUC | BSD-4-Clause-UC | BSD 4-Clause University of California-Specific
bsdProtection | BSD-Protection | BSD Protection License
bsdSourceCode | BSD-Source-Code | BSD Source Code Attribution
bsl11 | - | Business Source License 1.1 | u
bzip2 | bzip2-1.0.6 | bzip2 and libbzip2 License v1.0.6
cal10 | CAL-1.0 | Cryptographic Autonomy License version 1.0 (CAL-1.0)
caldera | Caldera | Caldera License
caossl | - | Computer Associates Open Source Licence Version 1.0
capec | - | Common Attack Pattern Enumeration and Classification
cc-by-10 | CC-BY-1.0 | Creative Commons Attribution 1.0
cc-by-20 | CC-BY-2.0 | Creative Commons Attribution 2.0
cc-by-30 | CC-BY-3.0 | Creative Commons Attribution 3.0
cc-by-40 | CC-BY-4.0 | Creative Commons Attribution 4.0
cc-by-nc-30 | CC-BY-NC-3.0 | Creative Commons Attribution Non Commercial 3.0 Unported | un
cc-by-nc-40 | CC-BY-NC-4.0 | Creative Commons Attribution Non Commercial 4.0 International | un
cc-by-nc-nd-30 | CC-BY-NC-ND-3.0 | Creative Commons Attribution Non Commercial No Derivative Works 3.0 Unported | un
cc-by-nc-nd-40 | CC-BY-NC-ND-4.0 | Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International | un
cc-by-nc-sa-20 | CC-BY-NC-SA-2.0 | Creative Commons Attribution Non Commercial Share Alike 2.0 | un
cc-by-nc-sa-25 | CC-BY-NC-SA-2.5 | Creative Commons Attribution Non Commercial Share Alike 2.5 | un
cc-by-nc-sa-30 | CC-BY-NC-SA-3.0 | Creative Commons Attribution Non Commercial Share Alike 3.0 | un
cc-by-nc-sa-40 | CC-BY-NC-SA-4.0 | Creative Commons Attribution Non Commercial Share Alike 4.0 | un
cc-by-nd-30 | CC-BY-ND-3.0 | Creative Commons Attribution-No Derivative Works v3.00 | un
cc-by-nd-40 | CC-BY-ND-4.0 | Creative Commons Attribution-No Derivative Works v4.0 | un
cc-by-sa-10 | CC-BY-SA-1.0 | Creative Commons Attribution Share Alike 1.0
cc-by-sa-20 | CC-BY-SA-2.0 | Creative Commons Attribution Share Alike 2.0
cc-by-sa-25 | CC-BY-SA-2.5 | Creative Commons Attribution Share Alike 2.5
cc-by-sa-30 | CC-BY-SA-3.0 | Creative Commons Attribution Share Alike 3.0
cc-by-sa-40 | CC-BY-SA-4.0 | Creative Commons Attribution Share Alike 4.0
cc-sa-10 | - | Creative Commons Share Alike 1.0 | . | CC-SA-1.0
cc0 | CC0-1.0 | Creative Commons Zero v1.0 Universal
cddl | CDDL-1.0 | Common Development and Distribution License 1.0
cecill-b | CECILL-B | CeCILL-B Free Software License Agreement
cecill-c | CECILL-C | CeCILL-C Free Software License Agreement
cecill20 | CECILL-2.0 | CeCILL Free Software License Agreement v2.0
cecill21 | CECILL-2.1 | CeCILL Free Software License Agreement v2.1
cfitsio | CFITSIO | CFITSIO License
clArtistic | ClArtistic | Clarified Artistic License
classpathException20 | Classpath-exception-2.0 | Classpath exception 2.0
cnri-python | CNRI-Python | CNRI Python License
cockroachdb-community-license | - | CockroachDB Community License Agreement | un
commons-clause | - | Commons Clause License | un
cpal10 | CPAL-1.0 | Common Public Attribution License 1.0
cpl10 | CPL-1.0 | Common Public License 1.0
cronyx | Cronyx | Cronyx License
curl | curl | curl License
databricks | - | Databricks Proprietary License | un
databricks-dbx | - | DataBricks eXtensions aka dbx License | un
databricks-license | - | Databricks License | un
dec3Clause | DEC-3-Clause | DEC 3-Clause License
doc | DOC | DOC License
docBookDtd | DocBook-DTD | DocBook DTD License
drl10 | DRL-1.0 | Detection Rule License 1.0
dtoa | dtoa | dtoa License
eapl | - | EPSON AVASYS PUBLIC LICENSE | un
ecl20 | ECL-2.0 | Educational Community License, Version 2.0 | . | ECL 2.0
efl10 | EFL-1.0 | Eiffel Forum License v1.0
efl20 | EFL-2.0 | Eiffel Forum License v2.0
elastic20 | Elastic-2.0 | Elastic License 2.0 | un
enpl | - | Emmi AI Non-Production License | u
epl10 | EPL-1.0 | Eclipse Public License 1.0
epl20 | EPL-2.0 | Eclipse Public License 2.0
epson | - | Seiko Epson Corporation Software License Agreement for Linux | un
eupl11 | EUPL-1.1 | European Union Public License 1.1
eupl12 | EUPL-1.2 | European Union Public License 1.2
fair | Fair | Fair License
fairsource09 | - | Fair Source License, version 0.9 | u
fdl11Only | GFDL-1.1-only | GNU Free Documentation License v1.1 only
fdl11Plus | GFDL-1.1-or-later | GNU Free Documentation License v1.1 or later
fdl12Only | GFDL-1.2-only | GNU Free Documentation License v1.2 only
fdl12Plus | GFDL-1.2-or-later | GNU Free Documentation License v1.2 or later
fdl13Only | GFDL-1.3-only | GNU Free Documentation License v1.3 only
fdl13Plus | GFDL-1.3-or-later | GNU Free Documentation License v1.3 or later
ffsl | - | Floodgap Free Software License | un
fontException | Font-exception-2.0 | Font exception 2.0
fraunhofer-fdk | FDK-AAC | Fraunhofer FDK AAC Codec Library
free | - | Unspecified free software license
fsl11Asl20 | FSL-1.1-ALv2 | Functional Source License, Version 1.1, Apache 2.0 Future License | u
fsl11Mit | - | Functional Source License, Version 1.1, MIT Future License | u
ftl | FTL | Freetype Project License
g4sl | - | Geant4 Software License
generaluser | - | GeneralUser GS License v2.0
geogebra | - | GeoGebra Non-Commercial License Agreement | un
gfl | - | GUST Font License
gfsl | - | GUST Font Source License
giftware | Giftware | Giftware License
gnuplot | gnuplot | gnuplot License
gpl1Only | GPL-1.0-only | GNU General Public License v1.0 only
gpl1Plus | GPL-1.0-or-later | GNU General Public License v1.0 or later
gpl2 | GPL-2.0 | GNU General Public License v2.0 | d
gpl2Classpath | GPL-2.0-with-classpath-exception | GNU General Public License v2.0 only (with Classpath exception)
gpl2ClasspathPlus | - | GNU General Public License v2.0 or later (with Classpath exception)
gpl2Only | GPL-2.0-only | GNU General Public License v2.0 only
gpl2Oss | - | GNU General Public License version 2 only (with OSI approved licenses linking exception)
gpl2Plus | GPL-2.0-or-later | GNU General Public License v2.0 or later
gpl3 | GPL-3.0 | GNU General Public License v3.0 | d
gpl3ClasspathPlus | - | GNU General Public License v3.0 or later (with Classpath exception)
gpl3Only | GPL-3.0-only | GNU General Public License v3.0 only
gpl3Plus | GPL-3.0-or-later | GNU General Public License v3.0 or later
hl3 | - | Hippocratic License v3.0 | u
hpnd | HPND | Historic Permission Notice and Disclaimer
hpndDec | HPND-DEC | Historical Permission Notice and Disclaimer - DEC variant
hpndDifferentDisclaimer | - | HPND with different disclaimer
hpndDoc | HPND-doc | Historical Permission Notice and Disclaimer - documentation variant
hpndDocSell | HPND-doc-sell | Historical Permission Notice and Disclaimer - documentation sell variant
hpndSellVariant | HPND-sell-variant | Historical Permission Notice and Disclaimer - sell variant
hpndSellVariantMitDisclaimerXserver | HPND-sell-MIT-disclaimer-xserver | Historical Permission Notice and Disclaimer - sell xserver variant with MIT disclaimer
hpndSellVariantSafetyClause | HPND-sell-variant-critical-systems | HPND - sell variant with safety critical systems clause
hpndUc | HPND-UC | Historical Permission Notice and Disclaimer - University of California variant
hyphenBulgarian | hyphen-bulgarian | hyphen-bulgarian License
iasl | Intel-ACPI | iASL
icu | ICU | ICU
ijg | IJG | Independent JPEG Group License
imagemagick | ImageMagick | ImageMagick License
imlib2 | Imlib2 | Imlib2 License
info-zip | Info-ZIP | Info-ZIP License
inria-compcert | - | INRIA Non-Commercial License Agreement for the CompCert verified compiler | un
inria-icesl | - | End User License Agreement for IceSL Software | un
inria-zelus | - | INRIA Non-Commercial License Agreement for the Zélus compiler | un
intel-eula | - | Intel End User License Agreement for Developer Tools | un
interbase | Interbase-1.0 | Interbase Public License v1.0
ipa | IPA | IPA Font License
ipl10 | IPL-1.0 | IBM Public License v1.0
isc | ISC | ISC License
issl | - | Intel Simplified Software License | un
json | JSON | JSON License | un
knuth | Knuth-CTAN | Knuth CTAN License
lal12 | LAL-1.2 | Licence Art Libre 1.2
lal13 | LAL-1.3 | Licence Art Libre 1.3
lens | - | Lens Terms of Service Agreement | un
lgpl2 | LGPL-2.0 | GNU Library General Public License v2 | d
lgpl21 | LGPL-2.1 | GNU Lesser General Public License v2.1 | d
lgpl21Only | LGPL-2.1-only | GNU Lesser General Public License v2.1 only
lgpl21Plus | LGPL-2.1-or-later | GNU Lesser General Public License v2.1 or later
lgpl2Only | LGPL-2.0-only | GNU Library General Public License v2 only
lgpl2Plus | LGPL-2.0-or-later | GNU Library General Public License v2 or later
lgpl3 | LGPL-3.0 | GNU Lesser General Public License v3.0 | d
lgpl3Only | LGPL-3.0-only | GNU Lesser General Public License v3.0 only
lgpl3Plus | LGPL-3.0-or-later | GNU Lesser General Public License v3.0 or later
lgpllr | LGPLLR | Lesser General Public License For Linguistic Resources
libpng | Libpng | libpng License
libpng2 | libpng-2.0 | PNG Reference Library version 2
libssh2 | - | libssh2 License
libtiff | libtiff | libtiff License
liliq-p-11 | LiLiQ-P-1.1 | Licence Libre du Québec – Permissive version 1.1
llgpl21 | - | Lisp LGPL; GNU Lesser General Public License version 2.1 with Franz Inc. preamble for clarification of LGPL terms in context of Lisp
llvm-exception | LLVM-exception | LLVM Exception
lpl-102 | LPL-1.02 | Lucent Public License v1.02
lppl1 | LPPL-1.0 | LaTeX Project Public License v1.0
lppl12 | LPPL-1.2 | LaTeX Project Public License v1.2
lppl13a | LPPL-1.3a | LaTeX Project Public License v1.3a
lppl13c | LPPL-1.3c | LaTeX Project Public License v1.3c
lsof | lsof | lsof License
miros | MirOS | MirOS License
mit | MIT | MIT License
mit-cmu | MIT-CMU | CMU License
mit-enna | MIT-enna | enna License
mit-feh | MIT-feh | feh License
mit-modern | MIT-Modern-Variant | MIT License Modern Variant
mit0 | MIT-0 | MIT No Attribution
mitAdvertising | MIT-advertising | Enlightenment License (e16)
mitOpenGroup | MIT-open-group | MIT Open Group variant
mpich2 | mpich2 | mpich2 License
mpl10 | MPL-1.0 | Mozilla Public License 1.0
mpl11 | MPL-1.1 | Mozilla Public License 1.1
mpl20 | MPL-2.0 | Mozilla Public License 2.0
mplus | mplus | M+ Font License
mspl | MS-PL | Microsoft Public License
mulan-psl2 | MulanPSL-2.0 | Mulan Permissive Software License, Version 2
naist-2003 | NAIST-2003 | Nara Institute of Science and Technology License (2003)
nasa13 | NASA-1.3 | NASA Open Source Agreement 1.3 | un
ncbiPd | NCBI-PD | NCBI Public Domain Notice | un
ncsa | NCSA | University of Illinois/NCSA Open Source License
ncul1 | NCUL1 | Netdata Cloud UI License v1.0 | u
netboxLimitedUse | - | NetBox Limited Use License 1.0 | un
ngpl | NGPL | Nethack General Public License
nistSoftware | NIST-Software | NIST Software License
nlpl | NLPL | No Limit Public License
nposl3 | NPOSL-3.0 | Non-Profit Open Software License 3.0
ntp | NTP | NTP License
nvidiaCuda | - | CUDA Toolkit End User License Agreement (EULA) | un | CUDA EULA
nvidiaCudaRedist | - | CUDA Toolkit End User License Agreement (EULA) | u | CUDA EULA
obsidian | - | Obsidian End User Agreement | un
ocamlLgplLinkingException | OCaml-LGPL-linking-exception | OCaml LGPL Linking Exception
ocamlpro_nc | - | OCamlPro Non Commercial license version 1 | un
odbl | ODbL-1.0 | Open Data Commons Open Database License v1.0
ofl | OFL-1.1 | SIL Open Font License 1.1
oml | OML | Open Market License
openldap | OLDAP-2.8 | Open LDAP Public License v2.8
openssl | OpenSSL | OpenSSL License
opubl | OPUBL-1.0 | Open Publication License v1.0
osl2 | OSL-2.0 | Open Software License 2.0
osl21 | OSL-2.1 | Open Software License 2.1
osl3 | OSL-3.0 | Open Software License 3.0
paratype | ParaType-Free-Font-1.3 | ParaType Free Font Licensing Agreement v1.3
parity70 | Parity-7.0.0 | Parity Public License 7.0.0
php301 | PHP-3.01 | PHP License v3.01
postgresql | PostgreSQL | PostgreSQL License
postman | - | Postman EULA | un
prosperity30 | - | Prosperity-3.0.0 | un
psfl | Python-2.0 | Python Software Foundation License version 2
publicDomain | - | Public Domain
purdueBsd | - | Purdue BSD-Style License
qhull | Qhull | Qhull License
qpl | QPL-1.0 | Q Public License 1.0
qwt | - | Qwt License, Version 1.0
qwtException | Qwt-exception-1.0 | Qwt exception 1.0
reticulum | - | Reticulum License | un
ruby | Ruby | Ruby License
sendmail | Sendmail | Sendmail License
sfl | - | Source First License 1.1 | u
sgi-b-20 | SGI-B-2.0 | SGI Free Software License B v2.0
sgmlug | - | SGML UG SGML Parser Materials license
sissl11 | SISSL | Sun Industry Standards Source License 1.1
sleepycat | Sleepycat | Sleepycat License
smail | - | SMAIL General Public License
smlnj | SMLNJ | Standard ML of New Jersey License
sspl | - | Server Side Public License | u | SSPL
stk | - | Synthesis Tool Kit 4.3
sudo | - | Sudo License (ISC-style)
sustainableUse | - | Sustainable Use License | un | sustainable
tcltk | TCL | TCL/TK License
tcpWrappers | TCP-wrappers | TCP Wrappers License
teamspeak | - | Teamspeak client license | u
tekHvcLicense | TekHVC | TekHVC License
torque11 | TORQUE-1.1 | TORQUE v2.5+ Software License v1.1
tost | Pixar | Tomorrow Open Source Technology License 1.0
tsl | - | Timescale License Agreegment | un | TSL
ubdlException | UBDL-exception | Unmodified Binary Distribution exception
ucd | - | Unicode Character Database License
ufl | - | Ubuntu Font License 1.0
unfree | - | Unfree | un
unfreeRedistributable | - | Unfree redistributable | u
unfreeRedistributableFirmware | - | Unfree redistributable firmware
unicode-30 | Unicode-3.0 | Unicode License v3
unicode-dfs-2015 | Unicode-DFS-2015 | Unicode License Agreement - Data Files and Software (2015)
unicode-dfs-2016 | Unicode-DFS-2016 | Unicode License Agreement - Data Files and Software (2016)
unicodeTOU | Unicode-TOU | Unicode Terms of Use
universalFOSSException-10 | Universal-FOSS-exception-1.0 | Universal FOSS Exception, Version 1.0
unlicense | Unlicense | The Unlicense
upl | UPL-1.0 | Universal Permissive License
vim | Vim | Vim License
virtualbox-puel | - | Oracle VM VirtualBox Extension Pack Personal Use and Evaluation License (PUEL) | un
vol-sl | - | Volatility Software License, Version 1.0
vsl10 | VSL-1.0 | Vovida Software License v1.0
w3c | W3C | W3C Software Notice and License
w3c-19980720 | W3C-19980720 | W3C Software Notice and License (1998-07-20)
wadalab | - | Wadalab Font License
watcom | Watcom-1.0 | Sybase Open Watcom Public License 1.0
wtfpl | WTFPL | Do What The F*ck You Want To Public License
wxWindows | wxWindows | wxWindows Library Licence, Version 3.1
wxWindowsException31 | WxWindows-exception-3.1 | wxWindows Library Licence, Version 3.1
x11 | X11 | X11 License
x11BsdClause | - | X11 License with third BSD clause
x11NoPermitPersons | X11-no-permit-persons | X11 no permit persons clause
xerox | Xerox | Xerox License
xfig | Xfig | xfig
xinetd | xinetd | xinetd License
xskat | XSkat | XSkat License
zlib | Zlib | zlib License
zpl20 | ZPL-2.0 | Zope Public License 2.0
zpl21 | ZPL-2.1 | Zope Public License 2.1
zsh | - | Zsh License
`;

export function licenses(): Readonly<Record<string, Attrs>> {
  const found: Record<string, Attrs> = {};
  for (const line of TABLE.trim().split("\n")) {
    const [name, id, full, flags = "", shortName = name] = line.split(" | ");
    const spdx: [string, Lazy][] =
      id === "-"
        ? []
        : [
            ["spdxId", id!],
            ["url", `https://spdx.org/licenses/${id}.html`],
          ];
    found[name!] = Attrs.from([
      ["shortName", shortName!],
      ...spdx,
      ["fullName", utf8(full!)],
      ["free", !flags.includes("u")],
      ["redistributable", !flags.includes("n")],
      ["deprecated", flags.includes("d")],
    ]);
  }
  return found;
}
