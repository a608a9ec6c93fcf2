# The package set that is part of d2n. Importing this file gives the native package set; this text is never evaluated.
throw "the built-in package set can only be imported by d2n"
