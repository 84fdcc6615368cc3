#!/usr/bin/env bash
# Split Out makes two items of one order, and one of each of two: a list of one is no list in XML, and an object is split, too.
#
# Versions  n8n-nodes-base 2.41.1 (XML 1, Split Out 1), n8n-core 2.41.1, Node.js 24.21.0
# Expected  A day with one order gives one item, a day with two gives two, with the fields of the order. An object that is not a
#           list is left whole, as a text is, or refused.
# Real      The XML node makes an object of one element, and a list of several. Split Out puts out each value of an object as an
#           item: a day with one order gives an item for its ID and one for its name, both under the name of the field that
#           was split. What follows finds no `id` in any of them, and the execution succeeds.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { asStated } from 'findings';
import { runInCore } from 'findings/core';

const split = (fieldToSplitOut) => ['Split', 'splitOut', { fieldToSplitOut, options: {} }];
const ordersIn = async (data) =>
	(
		await runInCore({ Items: [{ data }] }, [
			['XML', 'xml', { mode: 'xmlToJson', dataPropertyName: 'data', options: {} }],
			split('orders.order'),
		])
	).json('Split');

const ann = '<order><id>1</id><name>Ann</name></order>';
const bob = '<order><id>2</id><name>Bob</name></order>';
asStated('two orders', await ordersIn(`<orders>${ann}${bob}</orders>`), [
	{ id: '1', name: 'Ann' },
	{ id: '2', name: 'Bob' },
]);
asStated('one order', await ordersIn(`<orders>${ann}</orders>`), [{ 'orders.order': '1' }, { 'orders.order': 'Ann' }]);

const plain = async (order) => (await runInCore({ Items: [{ order }] }, [split('order')])).json('Split');
asStated('an object', await plain({ id: 1, name: 'Ann' }), [{ order: 1 }, { order: 'Ann' }]);
asStated('a text', await plain('Ann'), [{ order: 'Ann' }]);
JS
