// Waits for something, but not for ever.

/**
 * What a promise resolves to, when it does in time.
 * @throws Error when nothing came for so many milliseconds; what the promise rejects with
 */
export async function withinSilence<T>(coming: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    const text = `nothing came for ${milliseconds} ms`;
    timer = setTimeout(() => reject(new Error(text)), milliseconds);
  });
  try {
    return await Promise.race([coming, silence]);
  } finally {
    clearTimeout(timer);
  }
}
