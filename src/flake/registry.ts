/**
 * What a bare name means as a flake (`flake-parts`, or an argument of `outputs` that no input declares): the well-known
 * entries of Nix's global registry (nix.dev, "nix registry"). Nix downloads that list; this part of it has not changed in years.
 */
import { type FlakeReference, parseReference } from "./reference.ts";

const wellKnown: Readonly<Record<string, string>> = {
  disko: "github:nix-community/disko",
  fenix: "github:nix-community/fenix",
  "flake-parts": "github:hercules-ci/flake-parts",
  "flake-utils": "github:numtide/flake-utils",
  "home-manager": "github:nix-community/home-manager",
  "mach-nix": "github:DavHau/mach-nix",
  nix: "github:NixOS/nix",
  "nixos-hardware": "github:NixOS/nixos-hardware",
  nur: "github:nix-community/NUR",
  patchelf: "github:NixOS/patchelf",
  poetry2nix: "github:nix-community/poetry2nix",
  "sops-nix": "github:Mic92/sops-nix",
  systems: "github:nix-systems/default",
  templates: "github:NixOS/templates",
};

/** Where a flake known by name only is, with the branch or revision that the name came with; undefined for unknown names. */
export function lookUpFlake(reference: FlakeReference): FlakeReference | undefined {
  const address = wellKnown[String(reference.attributes.get("id")).toLowerCase()];
  if (address === undefined) return undefined;
  const found = parseReference(address);
  const attributes = new Map(found.attributes);
  for (const name of ["ref", "rev"]) {
    const value = reference.attributes.get(name);
    if (value !== undefined) attributes.set(name, value);
  }
  return { ...found, attributes, dir: reference.dir };
}
