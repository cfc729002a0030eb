/** Later names hide behind earlier ones: Edge and Opera say Chrome too, Chrome says Safari. */
const BROWSERS: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\/\d/, "Edge"],
  [/OPR\/\d/, "Opera"],
  [/(?:Firefox|FxiOS)\/\d/, "Firefox"],
  [/(?:HeadlessChrome|Chrome|CriOS)\/\d/, "Chrome"],
  [/Version\/\d.*Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux|X11/, "Linux"],
];

const named = (known: [RegExp, string][], text: string) => known.find(([sign]) => sign.test(text))?.[1];

/** What a browser calls itself, in words for people; other programs keep their own words. */
export function programOf(userAgent: string | null): string {
  if (!userAgent) return "Unknown program";
  const browser = named(BROWSERS, userAgent);
  const system = named(SYSTEMS, userAgent);
  return browser && system ? `${browser} on ${system}` : userAgent;
}
