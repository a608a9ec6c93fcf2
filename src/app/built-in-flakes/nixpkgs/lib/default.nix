# The library that is part of d2n. Importing this file gives the native library; this text is never evaluated.
throw "the built-in library can only be imported by d2n"
