{
  description = "The built-in package set, for commands that name it instead of a folder.";
  inputs.it.url = "d2n:nixpkgs";
  outputs = {it, ...}: {inherit (it) lib legacyPackages;};
}
