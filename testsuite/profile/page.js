/* SPDX-License-Identifier: MIT */
/*
 * Uses a page as a person would, and leaves what it found in its text.
 * profile.sh puts it behind the page's own script.
 */
const result = {};
/* What is retained has other callers than what is lost or has grown. */
const leaks = !document.title.startsWith('umem top');
const sought = leaks ? 'lose' : 'keep';
const rows = () => [...document.querySelectorAll('tr.row')];
const cells = (row) => [...row.children].map((td) => td.textContent);
const numbers = (column) => rows().map((row) =>
    Number(cells(row)[column].replace(/,/g, '').replace('\u2212', '-')));
const descending = (list) => list.every((v, i) => i === 0 || list[i - 1] >= v);
const change = (id, event) => document.getElementById(id)
    .dispatchEvent(new Event(event));

/* How many colours the graph's rows have: something is drawn. */
function colours() {
	const canvas = document.getElementById('graph');
	const pixels = canvas.getContext('2d').getImageData(0, 0,
	    canvas.width, canvas.height).data;
	const seen = new Set();

	for (let i = 0; i < pixels.length; i += 4)
		if (pixels[i + 3] === 255)
			seen.add(pixels[i] << 16 | pixels[i + 1] << 8 |
			    pixels[i + 2]);
	return seen.size;
}

function click(x, y) {
	const canvas = document.getElementById('graph');
	const box = canvas.getBoundingClientRect();

	for (const type of ['mousemove', 'click'])
		canvas.dispatchEvent(new MouseEvent(type, {
			clientX: box.left + x, clientY: box.top + y,
			bubbles: true}));
}

try {
	const total = data.samples.reduce((sum, s) => sum + s[3], 0);
	const input = document.getElementById('search');

	result.ready = document.documentElement.dataset.ready === 'yes';
	result.title = document.title.startsWith('umem ');
	result.rows = rows().length === Math.min(data.samples.length, 200);
	result.sorted = descending(numbers(0));
	result.total = tree.now === total;
	result.drawn = colours() > 5;
	result.markup = document.querySelector('img') === null;
	if (leaks)
		result.odd = data.frames.some((f) => f[0].startsWith('<img')) &&
		    document.body.textContent.includes('<img src=x');

	document.querySelectorAll('th')[1].click();
	result.sorted_again = descending(numbers(1));
	document.querySelectorAll('th')[1].click();
	result.ascending = descending(numbers(1).reverse());

	input.value = sought.toUpperCase();
	change('search', 'input');
	result.search = rows().length > 0 && rows().every((row) =>
	    row.textContent.toLowerCase().includes(sought));
	result.found = document.getElementById('found').textContent
	    .startsWith(`${rows().length} of ${data.samples.length} stacks`);
	rows()[0].click();
	result.stack = document.querySelector('tr.stack pre').textContent
	    .includes('main');
	rows()[0].click();
	result.stack_closes = document.querySelector('tr.stack') === null;
	input.value = '';
	change('search', 'input');

	click(2, ROW * 2.5);	/* a frame in the third row */
	result.zoom = zoom !== tree && zoom.depth === 2 &&
	    !document.getElementById('reset').hidden &&
	    document.getElementById('detail').textContent
	    .startsWith(zoom.name);
	document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}));
	result.escape = zoom === tree;

	document.getElementById('measure').value = 'count';
	change('measure', 'change');
	result.count = tree.now ===
	    data.samples.reduce((sum, s) => sum + s[2], 0);
	document.getElementById('invert').checked = true;
	change('invert', 'change');
	result.inverted = tree.list.every((node) => node.list !== undefined) &&
	    !tree.list.some((node) => node.name === '_start');
	result.offline = performance.getEntriesByType('resource').length === 0;
} catch (error) {
	result.error = String(error);
}
document.body.append('RESULT' + JSON.stringify(result) + 'END');
