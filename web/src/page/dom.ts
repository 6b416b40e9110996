/** Makes elements, and keeps a list of them in step with what they show. */

type Child = Node | string | null | false;

interface Attributes {
  class?: string;
  [name: string]: string | number | boolean | undefined | ((event: Event) => void);
}

/** An element. A function is a listener of the event that its name says: `click`, `submit`. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== false) element.append(child);
  return element;
}

/** The element of the page with this id. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no #${id}`);
  return element;
}

/** Something in a list. What is shown changes only when the signature does. */
export interface Entry {
  key: string;
  signature: string;
  make(): HTMLElement;
  /** What may be otherwise while the element stays: it is heard once by whoever listens to the page. */
  state?: string;
  /** Brings an element to the state. */
  bring?(element: HTMLElement): void;
}

const signatures = new WeakMap<Element, string>();
const states = new WeakMap<Element, string>();

/**
 * Brings the children of a list in step: elements that are still right stay, with their focus and their selection. Entries with one
 * key are told apart by their order.
 */
export function keep(list: HTMLElement, entries: readonly Entry[]): void {
  const before = new Map<string, HTMLElement[]>();
  for (const child of list.children) {
    if (!(child instanceof HTMLElement)) continue;
    const key = child.dataset['key'] ?? '';
    before.set(key, [...(before.get(key) ?? []), child]);
  }
  let place: Element | null = list.firstElementChild;
  for (const entry of entries) {
    let element = before.get(entry.key)?.shift();
    if (!element || signatures.get(element) !== entry.signature) {
      const fresh = entry.make();
      fresh.dataset['key'] = entry.key;
      signatures.set(fresh, entry.signature);
      if (element) {
        if (place === element) place = fresh;
        element.replaceWith(fresh);
      }
      element = fresh;
    }
    if (entry.bring && states.get(element) !== entry.state) {
      states.set(element, entry.state ?? '');
      entry.bring(element);
    }
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  for (const gone of [...before.values()].flat()) gone.remove();
}

/** Sets a text without touching what already says it. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Asks before something that cannot be undone. */
export async function confirmed(question: string, yes: string, no: string): Promise<boolean> {
  const dialog = h('dialog', { class: 'ask' }, h('p', {}, question));
  const answer = new Promise<boolean>((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes')));
  const buttons = h('form', { method: 'dialog', class: 'row' });
  buttons.append(h('button', { value: 'no' }, no), h('button', { value: 'yes', class: 'strong' }, yes));
  dialog.append(buttons);
  document.body.append(dialog);
  dialog.showModal();
  return answer.finally(() => dialog.remove());
}
