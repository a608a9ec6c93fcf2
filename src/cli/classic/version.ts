/** The version of Nix whose commands and language these are. */
export const nixVersion = "2.34.8";
