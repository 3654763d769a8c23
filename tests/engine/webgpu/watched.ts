/** Runs `make` and keeps the devices that it asks for. */
export async function watched<A>(make: () => Promise<A>): Promise<{ readonly made: A; readonly devices: GPUDevice[] }> {
  const devices: GPUDevice[] = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (options) {
    const device = await requestDevice.call(this, options);
    devices.push(device);
    return device;
  };
  try {
    return { made: await make(), devices };
  } finally {
    GPUAdapter.prototype.requestDevice = requestDevice;
  }
}
