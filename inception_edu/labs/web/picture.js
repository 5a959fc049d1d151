// A picture of the reader's own, made small in the browser before it is sent: a large photograph
// would end the connection to the kernel.
//
//     shrinkPicture(file) → { name, data: base64 of a PNG or JPEG, said: "8000×6000 → 1024×768" }
//
// What the browser cannot decode (TIFF, HEIC in most) is sent as it is, where it is small enough,
// because the kernel may read it. Errors are sentences for the reader.

const MOST_PIXELS = 1024, MOST_BYTES = 5e6;

async function shrinkPicture(file) {
  const name = file.name || "picture";
  if (!file.size) throw Error(`${name} is empty.`);
  const bitmap = await decoded(file);
  if (!bitmap) {
    if (file.size > MOST_BYTES) {
      const kind = (name.split(".").pop() || "").toUpperCase();
      throw Error(`${name} is a file of ${(file.size / 1e6).toFixed(1)} MB that this browser cannot `
        + `open as a picture (${kind}): save it as JPEG or PNG.`);
    }
    return { name, data: await base64(file), said: "" };
  }
  const said = [], { width, height } = bitmap;
  if (await isTurned(file)) said.push("turned upright");
  const share = Math.min(1, MOST_PIXELS / Math.max(width, height));
  const size = [width, height].map(side => Math.max(1, Math.round(side * share)));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, ...size);
  if (isClear(context, ...size)) {
    said.push("transparent parts on white");
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "white";
    context.fillRect(0, 0, ...size);
  }
  if (share < 1) said.push(`${width}×${height} → ${size.join("×")}`);
  const kind = Math.max(...size) <= 256 ? "image/png" : "image/jpeg";
  const blob = await new Promise(done => canvas.toBlob(done, kind, 0.92));
  return { name, data: await base64(blob), said: said.join(", ") };
}

// The picture upright, or null where the browser cannot read it. A picture of more pixels than a
// canvas or the memory takes is asked for smaller.
async function decoded(file) {
  for (const options of [{}, { resizeWidth: 2 * MOST_PIXELS, resizeQuality: "high" }]) {
    try { return await createImageBitmap(file, { imageOrientation: "from-image", ...options }); }
    catch { /* the next way */ }
  }
  return null;
}

// Whether a JPEG carries an EXIF note that asks for it to be turned (1, or none: it stands upright).
async function isTurned(file) {
  const view = new DataView(await file.slice(0, 131072).arrayBuffer());
  const at = (offset, little) => view.getUint16(offset, little);
  if (view.byteLength < 12 || at(0) !== 0xffd8) return false;
  for (let offset = 2; offset + 10 < view.byteLength && view.getUint8(offset) === 0xff;
    offset += 2 + at(offset + 2)) {
    if (at(offset) !== 0xffe1 || view.getUint32(offset + 4) !== 0x45786966) continue;
    const tiff = offset + 10, little = at(tiff) === 0x4949;
    const list = tiff + view.getUint32(tiff + 4, little);
    for (let i = 0, entry = list + 2; i < at(list, little); i++, entry += 12) {
      if (entry + 10 > view.byteLength) return false;
      if (at(entry, little) === 0x0112) return at(entry + 8, little) > 1;
    }
  }
  return false;
}

function isClear(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return true;
  return false;
}

function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1] || "");
    reader.onerror = () => fail(Error("The file cannot be read."));
    reader.readAsDataURL(blob);
  });
}
