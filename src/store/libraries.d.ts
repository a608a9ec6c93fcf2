/** Libraries that come without types. */
declare module "fs-native-extensions" {
  const locks: {
    tryLock(fd: number, options: { readonly shared: boolean }): boolean;
    unlock(fd: number): void;
  };
  export default locks;
}
