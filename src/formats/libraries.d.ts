/** Libraries that come without types. */
declare module "unbzip2-stream" {
  const create: () => NodeJS.ReadWriteStream;
  export default create;
}
