// Runs in a page: how far it overflows, and text whose contrast with what is behind it is below 4.5 (WCAG 2.2, 1.4.3).
(() => {
  const channels = (css) => (/rgba?\(([^)]+)\)/.exec(css)?.[1] ?? '').split(',').map(Number);
  const light = (css) => {
    const [r, g, b] = channels(css).map((c) => {
      const s = c / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
  };
  const behind = (from) => {
    for (let at = from; at !== null; at = at.parentElement) {
      const background = getComputedStyle(at).backgroundColor;
      if (channels(background)[3] !== 0) return background;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent?.trim().replace(/\u00a0/g, '') ?? '';
    if (element === null || text === '' || element.getClientRects().length === 0) continue;
    texts += 1;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return { overflow: document.documentElement.scrollWidth - innerWidth, texts, faint };
})();
