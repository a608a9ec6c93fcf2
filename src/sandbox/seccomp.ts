/**
 * The system call filter of builds, the same as Nix's: no setuid and setgid bits (EPERM), no extended attributes and ACLs
 * (ENOTSUP), for neither can be represented in a store. A classic BPF program as seccomp(2) takes it.
 */

interface Table {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly architecture: number;
  /** Calls with a file mode, and which argument holds it. */
  readonly modes: readonly (readonly [call: number, argument: number])[];
  readonly attributes: readonly number[];
}

const tables: Readonly<Record<string, readonly Table[]>> = {
  x64: [
    {
      architecture: 0xc000003e,
      modes: [
        [90, 1],
        [91, 1],
        [268, 2],
        [452, 2],
      ], // chmod fchmod fchmodat fchmodat2
      attributes: [188, 189, 190, 191, 192, 193, 194, 195, 196], // {,l,f}setxattr {,l,f}getxattr {,l,f}listxattr
    },
    // 32-bit programs on the same machine.
    {
      architecture: 0x40000003,
      modes: [
        [15, 1],
        [94, 1],
        [306, 2],
        [452, 2],
      ],
      attributes: [226, 227, 228, 229, 230, 231, 232, 233, 234],
    },
  ],
  arm64: [
    {
      architecture: 0xc00000b7,
      modes: [
        [52, 1],
        [53, 2],
        [452, 2],
      ],
      attributes: [5, 6, 7, 8, 9, 10, 11, 12, 13],
    },
    {
      architecture: 0x40000028,
      modes: [
        [15, 1],
        [94, 1],
        [333, 2],
        [452, 2],
      ],
      attributes: [226, 227, 228, 229, 230, 231, 232, 233, 234],
    },
  ],
};

const loadWord = 0x20;
const and = 0x54;
const jumpEqual = 0x15;
const jumpSet = 0x45;
const give = 0x06;
const allow = 0x7fff0000;
const errno = 0x00050000;
const EPERM = 1;
const ENOTSUP = 95;
const setIdBits = 0o6000;
/** Set in the call numbers of the x32 ABI, which otherwise are x86-64's. */
const x32Bit = 0x40000000;

/** The filter for a machine (`process.arch`), or undefined if it is one that nobody wrote the call numbers down for. */
export function buildFilter(architecture: string): Buffer | undefined {
  const own = tables[architecture];
  if (own === undefined) return undefined;
  const program: [code: number, jumpTrue: number, jumpFalse: number, value: number][] = [];
  for (const table of own) {
    const body: typeof program = [
      [loadWord, 0, 0, 0],
      [and, 0, 0, ~x32Bit >>> 0],
    ];
    for (const [call, argument] of table.modes)
      body.push(
        [jumpEqual, 0, 4, call],
        [loadWord, 0, 0, 16 + 8 * argument],
        [jumpSet, 0, 1, setIdBits],
        [give, 0, 0, errno | EPERM],
        [give, 0, 0, allow],
      );
    for (const call of table.attributes) body.push([jumpEqual, 0, 1, call], [give, 0, 0, errno | ENOTSUP]);
    body.push([give, 0, 0, allow]);
    program.push([loadWord, 0, 0, 4], [jumpEqual, 0, body.length, table.architecture], ...body);
  }
  program.push([give, 0, 0, allow]);
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, jumpTrue, jumpFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  });
  return bytes;
}
