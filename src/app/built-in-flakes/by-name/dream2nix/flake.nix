{
  description = "The built-in dream2nix, for commands that name it instead of a folder.";
  inputs.it.url = "d2n:dream2nix";
  outputs = {it, ...}: {inherit (it) lib modules overrides;};
}
