// Parses each diagram on standard input, in which a line of dashes parts them, with Mermaid's own parser.
import { JSDOM } from 'jsdom';

const dom = new JSDOM('');
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const { default: mermaid } = await import('mermaid');

let text = '';
for await (const chunk of process.stdin) text += chunk;
for (const diagram of text.split('\n----\n')) {
  const { diagramType } = await mermaid.parse(diagram);
  console.log(diagramType);
}
