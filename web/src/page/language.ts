/** The two languages of the pages: which one, how to switch, and how instants and spans are written. */

import { byId, h } from './dom.js';

export type Language = 'zh' | 'en';

const KEY = 'kefu.language';

function preferred(): Language {
  const chosen = localStorage.getItem(KEY);
  if (chosen === 'zh' || chosen === 'en') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** The language of this page; a switch loads the page anew. */
export const language: Language = preferred();

/** Every text of a page, in both languages. `{name}` stands for something that is put in. */
export type Texts<Key extends string> = Record<Key, readonly [zh: string, en: string]>;

/** The texts of a page in its language. */
export function speaker<Key extends string>(texts: Texts<Key>): (key: Key, put?: Record<string, string | number>) => string {
  return (key, put = {}) => {
    const text = texts[key][language === 'zh' ? 0 : 1];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(put[name] ?? whole));
  };
}

/** Tells the browser the language, fills the texts of the page's own elements (`data-text`), and offers the other language. */
export function prepare<Key extends string>(say: (key: Key) => string): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) element.textContent = say(element.dataset['text'] as Key);
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    element.setAttribute('aria-label', say(element.dataset['label'] as Key));
    element.setAttribute('title', say(element.dataset['label'] as Key));
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-placeholder]')) {
    element.setAttribute('placeholder', say(element.dataset['placeholder'] as Key));
  }
  const other: Language = language === 'zh' ? 'en' : 'zh';
  const name = other === 'zh' ? '中文' : 'English';
  const change = () => {
    localStorage.setItem(KEY, other);
    location.reload();
  };
  byId('language', HTMLElement).append(h('button', { type: 'button', class: 'quiet', lang: other, click: change }, name));
}

const clock = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en', { hour: '2-digit', minute: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en', { dateStyle: 'medium' });

/** The time of day. */
export function timeOfDay(ms: number): string {
  return clock.format(ms);
}

/** The day. */
export function date(ms: number): string {
  return day.format(ms);
}

/** A span: `0:07`, `12:40`, `3:05:00`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A size: `820 B`, `12 KB`, `3.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
