// The style of the landing page: system fonts, light and dark, readable on a phone.

export const CSS = `
:root{--bg:#f6f7f9;--card:#fff;--ink:#15181d;--soft:#5b6470;--line:#e3e6eb;--ok:#0f7a3d;--okbg:#e5f5eb;--warn:#8a5a00;--warnbg:#fdf3dc;--bad:#b3261e;--badbg:#fdeae8;--idle:#56606d;--idlebg:#eceff3;--accent:#c8102e}
@media (prefers-color-scheme:dark){:root{--bg:#0f1216;--card:#171b21;--ink:#e8ebef;--soft:#9aa5b1;--line:#272d36;--ok:#5fd08b;--okbg:#12301f;--warn:#f0bd57;--warnbg:#352a10;--bad:#ff8a80;--badbg:#3b1715;--idle:#a3adb9;--idlebg:#232932;--accent:#ff5168}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:2.5rem 1.25rem 3rem;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC",sans-serif}
p,h1,h2,ul,dl,dd{margin:0}
ul{padding:0;list-style:none}
code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.brand{display:flex;align-items:center;gap:.55rem;font-weight:700;letter-spacing:.06em}
.mark{width:.9rem;height:.9rem;border-radius:.25rem;background:var(--accent)}
.version{font-weight:400;letter-spacing:0;color:var(--soft)}
h1{margin-top:1.25rem;font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.15;letter-spacing:-.02em;overflow-wrap:anywhere}
.lead{margin-top:.6rem;max-width:44rem;color:var(--soft)}
.verdict{display:flex;align-items:center;gap:.9rem;margin-top:1.6rem;padding:1rem 1.15rem;border-radius:.8rem;line-height:1.35}
.badge{display:grid;place-items:center;flex:none;width:2.4rem;height:2.4rem;border-radius:50%;background:var(--card);font-size:1.2rem;font-weight:700}
.since{color:var(--soft);font-size:.9rem}
h2{margin:2.2rem 0 .7rem;font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase;color:var(--soft)}
.parts{border:1px solid var(--line);border-radius:.8rem;background:var(--card);overflow:hidden}
.part+.part{border-top:1px solid var(--line)}
.part{padding:.8rem 1.15rem}
.row{display:flex;align-items:baseline;gap:.9rem}
.name{font-weight:600}
.summary{flex:1;min-width:0;color:var(--soft);font-size:.92rem;overflow-wrap:anywhere}
.state{flex:none;padding:.1rem .65rem;border-radius:1rem;font-size:.85rem;font-weight:600;white-space:nowrap}
dl{margin-top:.5rem;font-size:.92rem}
dl div{display:flex;gap:.75rem;padding:.1rem 0}
dt{flex:none;width:5.5rem;color:var(--soft)}
dd{min-width:0;overflow-wrap:anywhere}
.available .state,.verdict.available{background:var(--okbg)}.available .state,.available .badge{color:var(--ok)}
.limited .state,.verdict.limited{background:var(--warnbg)}.limited .state,.limited .badge{color:var(--warn)}
.failing .state,.verdict.failing{background:var(--badbg)}.failing .state,.failing .badge{color:var(--bad)}
.missing .state,.starting .state,.verdict.missing,.verdict.starting{background:var(--idlebg)}
.missing .state,.starting .state,.missing .badge,.starting .badge{color:var(--idle)}
.links{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:.75rem}
.links a{display:flex;flex-direction:column;gap:.15rem;height:100%;padding:.85rem 1.15rem;border:1px solid var(--line);border-radius:.8rem;background:var(--card);color:inherit;text-decoration:none}
.links a:hover{border-color:var(--accent)}
.links a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.title{font-weight:600}
.links code{color:var(--accent);overflow-wrap:anywhere}
.text{color:var(--soft);font-size:.9rem}
footer{margin-top:2.4rem;color:var(--soft);font-size:.9rem}
@media (max-width:34rem){.row{flex-wrap:wrap}.summary{order:3;flex-basis:100%}.summary:empty{display:none}.state{margin-left:auto}dl div{flex-direction:column;gap:0;padding:.25rem 0}}
@media print{body{padding:0}.links{display:none}}
`;
