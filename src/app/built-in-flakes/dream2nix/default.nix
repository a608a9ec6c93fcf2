# dream2nix as it is part of d2n. Importing this file gives the native one; this text is never evaluated.
throw "the built-in dream2nix can only be imported by d2n"
