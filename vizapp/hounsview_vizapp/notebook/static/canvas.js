// Shows frames that the kernel drew, and tells it what pointer, wheel and keys do.
//
// One model per widget, any number of views of it. Frames come in batches, so that panes
// that belong together change together; each batch is confirmed when it is shown, and the
// kernel never has more than two on their way.

const BUTTONS = ["left", "middle", "right"];
const KEYS = {
  ArrowUp: "Up", ArrowDown: "Down", ArrowLeft: "Left", ArrowRight: "Right",
  PageUp: "PgUp", PageDown: "PgDown", Escape: "Esc", Enter: "Return", " ": "Space",
  Delete: "Del", Insert: "Ins",
};
const LOOKS = ["active", "height", "cursor", "message", "progress"];
const GONE = "The kernel has gone: this is the last picture. Run the cell again.";
const WAIT_MS = 40;
const DOUBLE_MS = 400;
const DOUBLE_PX = 5;
const NOTCH = [100, 3, 1]; // deltaMode: pixels, lines, pages for one notch of a wheel

function modifiersOf(event) {
  const held = [];
  if (event.ctrlKey || event.metaKey) held.push("ctrl");
  if (event.shiftKey) held.push("shift");
  if (event.altKey) held.push("alt");
  return held;
}

// The name of a key as the desktop viewer has it: "Ctrl+Z", "PgUp", "]".
function keyName(event) {
  const key = event.key;
  const control = event.ctrlKey || event.metaKey;
  const isCharacter = key.length === 1 && key !== " ";
  const isLetter = isCharacter && key.toLowerCase() !== key.toUpperCase();
  if (isCharacter && !isLetter && !control) return event.altKey ? `Alt+${key}` : key;
  let name = KEYS[key] ?? (isLetter ? key.toUpperCase() : key);
  if (event.shiftKey && !(isCharacter && !isLetter)) name = `Shift+${name}`;
  if (event.altKey) name = `Alt+${name}`;
  if (control) name = `Ctrl+${name}`;
  return name;
}

// Device pixels as the browser counts them; where it does not, or an emulated screen makes it
// count wrongly, as the ratio says.
function devicePixels(counted, expected) {
  return Math.round(Math.abs(counted - expected) <= 1 ? counted : expected);
}

class Pane {
  constructor(view, name) {
    this.view = view;
    this.name = name;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "hv-pane";
    this.canvas.dataset.pane = name;
    this.canvas.setAttribute("aria-label", `${name} picture`);
    this.context = this.canvas.getContext("2d");
    this.bitmap = null;
    this.move = null;
    this.wheel = null;
    this.held = null;
    this.lastPress = null;
    this.listen();
    this.observer = new ResizeObserver((entries) => this.resized(entries[entries.length - 1]));
    try {
      // Told as well when only the screen's pixels change: the window went to another screen.
      this.observer.observe(this.canvas, { box: "device-pixel-content-box" });
    } catch {
      this.observer.observe(this.canvas);
    }
  }

  listen() {
    const on = (kind, handle) => this.canvas.addEventListener(kind, handle, { passive: false });
    on("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation(); // JupyterLab has a menu of its own
    });
    on("pointerdown", (event) => this.pressed(event));
    on("pointermove", (event) => {
      const button = this.held ?? "";
      this.move = this.pointer("move", event, button);
      this.view.shared.soon();
    });
    on("pointerup", (event) => this.released(event));
    on("pointercancel", (event) => this.released(event));
    on("lostpointercapture", (event) => this.released(event));
    on("pointerleave", (event) => {
      if (this.held) return;
      this.view.send(this.pointer("leave", event, ""));
    });
    on("wheel", (event) => this.turned(event));
  }

  pressed(event) {
    event.preventDefault();
    this.view.focus();
    if (this.held) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.held = BUTTONS[event.button] ?? "left";
    const before = this.lastPress;
    const isDouble = before && this.held === "left" && before.button === "left"
      && event.timeStamp - before.time < DOUBLE_MS
      && Math.hypot(event.clientX - before.x, event.clientY - before.y) < DOUBLE_PX;
    this.lastPress = isDouble ? null
      : { time: event.timeStamp, x: event.clientX, y: event.clientY, button: this.held };
    this.view.send(this.pointer(isDouble ? "double" : "press", event, this.held));
  }

  released(event) {
    if (!this.held) return;
    const button = this.held;
    this.held = null;
    this.view.send(this.pointer("release", event, button));
  }

  turned(event) {
    if (!this.view.takesWheel()) return;
    event.preventDefault();
    const turned = event.deltaY || event.deltaX;
    const steps = -turned / NOTCH[event.deltaMode];
    const message = { type: "wheel", ...this.place(event), steps, modifiers: modifiersOf(event) };
    if (this.wheel) message.steps += this.wheel.steps;
    this.wheel = message;
    this.view.shared.soon();
  }

  // What waits to be sent, and is forgotten here.
  taken() {
    const waiting = [this.move, this.wheel?.steps ? this.wheel : null].filter(Boolean);
    this.move = this.wheel = null;
    return waiting;
  }

  pointer(kind, event, button) {
    return {
      type: "pointer", kind, button, ...this.place(event), modifiers: modifiersOf(event),
    };
  }

  // Where the frame lies in the canvas: all of it, unless it was drawn for another view of
  // another shape; it is never distorted.
  frameBox() {
    const { width, height } = this.canvas;
    if (!this.bitmap) return { left: 0, top: 0, scale: 1, rows: height, columns: width };
    const { width: columns, height: rows } = this.bitmap;
    const scale = Math.min(width / columns, height / rows);
    return {
      left: (width - scale * columns) / 2, top: (height - scale * rows) / 2, scale, rows, columns,
    };
  }

  // In pixels of the frame; pixel (0, 0) has its centre half a pixel from the corner.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const { left, top, scale, rows, columns } = this.frameBox();
    const down = ((event.clientY - box.top) * this.canvas.height) / box.height;
    const right = ((event.clientX - box.left) * this.canvas.width) / box.width;
    return {
      pane: this.name,
      row: (down - top) / scale - 0.5,
      column: (right - left) / scale - 0.5,
      rows,
      columns,
      ratio: window.devicePixelRatio,
    };
  }

  resized(entry) {
    const ratio = window.devicePixelRatio;
    const exact = entry.devicePixelContentBoxSize?.[0];
    const columns = devicePixels(exact?.inlineSize, entry.contentRect.width * ratio);
    const rows = devicePixels(exact?.blockSize, entry.contentRect.height * ratio);
    if (rows < 1 || columns < 1) return;
    if (rows !== this.canvas.height || columns !== this.canvas.width) {
      this.canvas.height = rows;
      this.canvas.width = columns;
      this.draw();
    }
    this.view.send({ type: "size", pane: this.name, rows, columns, ratio });
  }

  show(bitmap) {
    this.bitmap = bitmap;
    this.draw();
  }

  draw() {
    if (!this.bitmap) return;
    const { left, top, scale, rows, columns } = this.frameBox();
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.drawImage(this.bitmap, left, top, scale * columns, scale * rows);
    this.canvas.dataset.shown = Number(this.canvas.dataset.shown ?? 0) + 1;
  }

  close() {
    this.observer.disconnect();
    this.canvas.remove();
  }
}

function made(kind, name, text = "") {
  const element = document.createElement(kind);
  element.className = name;
  element.textContent = text;
  return element;
}

// What a person must be told, over the panes; errors that nobody foresaw with their details.
class Message {
  constructor(view) {
    this.element = made("div", "hv-message");
    this.element.setAttribute("role", "alert");
    this.text = made("span", "hv-text");
    this.details = made("details", "hv-details");
    this.trace = made("pre", "");
    this.details.append(made("summary", "", "Details"), this.trace);
    const close = made("button", "hv-close", "\u00d7");
    close.title = "Close";
    close.addEventListener("click", () => view.send({ type: "dismiss" }));
    this.element.append(this.text, this.details, close);
  }

  say({ text = "", kind = "note", details = "" }) {
    this.element.dataset.kind = kind;
    this.element.hidden = !text;
    this.text.textContent = text;
    this.details.hidden = !details;
    this.trace.textContent = details;
  }
}

class Progress {
  constructor(view) {
    this.element = made("div", "hv-progress");
    this.text = made("span", "hv-text");
    this.bar = made("progress", "");
    this.bar.max = 1;
    const cancel = made("button", "", "Cancel");
    cancel.addEventListener("click", () => view.send({ type: "cancel" }));
    this.element.append(this.text, this.bar, cancel);
  }

  tell({ text = "", share = 0 }) {
    this.element.hidden = !text;
    this.text.textContent = text;
    if (share > 0) this.bar.value = share;
    else this.bar.removeAttribute("value");
  }
}

class View {
  constructor(shared, el) {
    this.shared = shared;
    this.model = shared.model;
    this.visible = false;
    this.panes = new Map();
    this.root = document.createElement("div");
    this.root.className = `hv-canvas hv-live-${this.model.get("name")}`;
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "application");
    this.root.setAttribute("aria-label", this.model.get("label"));
    this.grid = document.createElement("div");
    this.grid.className = "hv-grid";
    this.hint = document.createElement("div");
    this.hint.className = "hv-hint";
    this.hint.textContent = this.model.get("hint");
    this.message = new Message(this);
    this.progress = new Progress(this);
    this.root.append(this.message.element, this.grid, this.progress.element, this.hint);
    el.append(this.root);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.observer = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      this.shared.tellVisible();
    });
    this.observer.observe(this.root);
    this.arrange();
    this.follow();
  }

  send(message) {
    this.shared.sendWaiting(); // in the order in which things happened
    this.shared.send(message);
  }

  focus() { this.root.focus({ preventScroll: true }); }

  // Without focus the wheel belongs to the page: a notebook must be scrolled past a view.
  takesWheel() {
    if (!this.model.get("hint")) return false;
    const focused = this.root.contains(document.activeElement);
    if (!focused) this.sayHint();
    return focused;
  }

  sayHint() {
    this.hint.classList.add("hv-said");
    clearTimeout(this.hinting);
    this.hinting = setTimeout(() => this.hint.classList.remove("hv-said"), 1500);
  }

  // Keys that mean something here must not reach the notebook: "X" would cut the cell.
  // Also without a kernel the last picture stays, and must not look alive.
  sayGone() {
    this.message.say({ text: GONE, kind: "bad" });
    this.root.classList.add("hv-gone");
  }

  key(event) {
    const name = keyName(event);
    if (event.target.closest("button, summary")) return; // they have keys of their own
    if (!this.model.get("wanted").includes(name)) return;
    event.preventDefault();
    event.stopPropagation();
    this.send({ type: "key", key: name });
  }

  arrange() {
    const places = this.model.get("grid");
    const wanted = places.flat();
    for (const [name, pane] of this.panes) {
      if (!wanted.includes(name)) {
        pane.close();
        this.panes.delete(name);
      }
    }
    this.grid.style.gridTemplateColumns = `repeat(${places[0]?.length ?? 1}, minmax(0, 1fr))`;
    this.grid.style.gridTemplateRows = `repeat(${places.length || 1}, minmax(0, 1fr))`;
    for (const name of wanted) {
      const pane = this.panes.get(name) ?? new Pane(this, name);
      this.panes.set(name, pane);
      // Placed by style: a canvas that moves in the page loses the pointer that it holds.
      if (!pane.canvas.isConnected) this.grid.append(pane.canvas);
      const row = places.findIndex((names) => names.includes(name));
      pane.canvas.style.gridArea = `${row + 1} / ${places[row].indexOf(name) + 1}`;
      const bitmap = this.shared.bitmaps.get(name);
      if (bitmap && !pane.bitmap) pane.show(bitmap);
    }
    this.follow();
  }

  follow() {
    const height = this.model.get("height");
    if (height !== this.height) this.root.style.height = height; // else a person's is kept
    this.height = height;
    this.root.style.cursor = this.model.get("cursor");
    this.message.say(this.model.get("message") ?? {});
    this.progress.tell(this.model.get("progress") ?? {});
    const active = this.model.get("active");
    for (const [name, pane] of this.panes) {
      pane.canvas.classList.toggle("hv-active", this.panes.size > 1 && name === active);
    }
  }

  close() {
    this.observer.disconnect();
    clearTimeout(this.hinting);
    for (const pane of this.panes.values()) pane.close();
    this.root.remove();
  }
}

class Shared {
  constructor(model) {
    this.model = model;
    this.views = new Set();
    this.bitmaps = new Map();
    this.page = Math.random().toString(36).slice(2);
    this.isVisible = null;
    this.waiting = 0;
    this.lastSent = 0;
    this.queue = Promise.resolve();
    this.onMessage = (message, buffers) => {
      if (message.type === "frames") {
        this.queue = this.queue.then(() => this.show(message, buffers)).catch(console.error);
      }
    };
    this.onVisibility = () => this.tellVisible();
    this.onLeave = () => this.send({ type: "visible", page: this.page, visible: false });
    this.onGrid = () => { for (const view of this.views) view.arrange(); };
    this.onLook = () => { for (const view of this.views) view.follow(); };
    model.on("msg:custom", this.onMessage);
    model.on("change:grid", this.onGrid);
    for (const name of LOOKS) model.on(`change:${name}`, this.onLook);
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("pagehide", this.onLeave);
    model.on("comm_live_update", () => { for (const view of this.views) view.sayGone(); });
    this.send({ type: "ready" });
  }

  send(message) {
    try {
      this.model.send(message);
    } catch {
      // The widget was closed, or its kernel has gone: there is nobody to tell.
    }
  }

  // Moves and turns of the wheel wait for the next frame, whose confirmation takes them along:
  // every message to a kernel costs the page three in return.
  soon() {
    if (this.waiting) return;
    const rest = WAIT_MS - (performance.now() - this.lastSent);
    this.waiting = setTimeout(() => this.sendWaiting(), Math.max(0, rest));
  }

  taken() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.lastSent = performance.now();
    return [...this.views].flatMap((view) => [...view.panes.values()].flatMap((p) => p.taken()));
  }

  sendWaiting() {
    for (const message of this.taken()) this.send(message);
  }

  async show(message, buffers) {
    try {
      const bitmaps = await Promise.all(message.frames.map((frame, n) => createImageBitmap(
        new Blob([buffers[n]], { type: frame.mime }), { colorSpaceConversion: "none" },
      )));
      message.frames.forEach((frame, n) => {
        this.bitmaps.get(frame.pane)?.close();
        this.bitmaps.set(frame.pane, bitmaps[n]);
        for (const view of this.views) view.panes.get(frame.pane)?.show(bitmaps[n]);
      });
    } finally {
      this.send({ type: "shown", number: message.number, events: this.taken() });
    }
  }

  tellVisible() {
    const seen = [...this.views].some((view) => view.visible);
    const visible = seen && document.visibilityState === "visible";
    if (visible !== this.isVisible) {
      this.isVisible = visible;
      this.send({ type: "visible", page: this.page, visible });
    }
  }

  add(el) {
    const view = new View(this, el);
    this.views.add(view);
    return () => {
      view.close();
      this.views.delete(view);
      this.tellVisible();
    };
  }

  close() {
    clearTimeout(this.waiting);
    this.model.off("msg:custom", this.onMessage);
    this.model.off("change:grid", this.onGrid);
    for (const name of LOOKS) this.model.off(`change:${name}`, this.onLook);
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("pagehide", this.onLeave);
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }
}

export default () => {
  let shared = null;
  return {
    initialize({ model }) {
      shared = new Shared(model);
      return () => shared.close();
    },
    render({ el }) {
      return shared.add(el);
    },
  };
};
