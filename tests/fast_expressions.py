"""Makes moto's handling of DynamoDB's expressions fast, without a change of behaviour. A part of `fast_moto.py`.

moto parses the condition of a write several times, walks the tree of an update eight times, and two of its checks
search the tree below each node again. Here, what depends only on a request's text is computed once for each text.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import ast_nodes as untyped_ast_nodes
from moto.dynamodb.parsing import expressions as untyped_expressions
from moto.dynamodb.parsing import validators as untyped_validators

ast_nodes: Any = untyped_ast_nodes
expressions: Any = untyped_expressions
validators: Any = untyped_validators
ORIGINALS: dict[str, Any] = {
    "traverse": ast_nodes.DepthFirstTraverser.traverse,
    "update expression": expressions.UpdateExpressionParser.make,
    "lex a condition": ConditionExpressionParser._lex_condition_expression,
    "parse a condition": ConditionExpressionParser.parse,
}
_MOST_CONDITIONS = 5_000


def install(replace: Callable[[Any, str, Any], None]) -> None:
    replace(ast_nodes.DepthFirstTraverser, "traverse", _traverse)
    for check in (validators.ActionCountValidator, validators.OverlappingPathsValidator):
        replace(check, "traverse", _check_once)
    replace(validators, "deepcopy", _copy_tree)
    replace(expressions.UpdateExpressionParser, "make", staticmethod(cache(ORIGINALS["update expression"])))
    replace(ConditionExpressionParser, "_lex_condition_expression", _lex)
    replace(ConditionExpressionParser, "parse", _parse)


_tokens: dict[str, tuple[Any, ...]] = {}


def _lex(parser: ConditionExpressionParser) -> "deque[Any]":
    """Split a condition into tokens, which depend only on its text."""
    text = str(parser.condition_expression)
    if text not in _tokens:
        _tokens[text] = tuple(ORIGINALS["lex a condition"](parser))
    return deque(_tokens[text])


_conditions: dict[str, tuple[Any, list[str], list[str]]] = {}


def _parse(parser: ConditionExpressionParser) -> Any:
    """Parse a condition once for the same text, names and values. The result does not change when it is evaluated; it
    gets values of its own, which nothing else can change. Errors are not kept."""
    values = parser.expression_attribute_values
    key = repr((parser.condition_expression, parser.expression_attribute_names, values))
    if key not in _conditions:
        if len(_conditions) == _MOST_CONDITIONS:
            _conditions.clear()
        parser.expression_attribute_values = copy.deepcopy(values)
        parsed = ORIGINALS["parse a condition"](parser)
        parser.expression_attribute_values = values
        _conditions[key] = (parsed, [*parser.expr_attr_names_found], [*parser.expr_attr_values_found])
        return parsed
    parsed, names_found, values_found = _conditions[key]
    parser.expr_attr_names_found.extend(names_found)
    parser.expr_attr_values_found.extend(values_found)
    return parsed


def _check_once(check: Any, tree: Any) -> Any:
    """Check a whole expression. The original checks also each of its parts, whose actions are some of those of the
    whole. So a part fails only if the whole fails; then the original finds the error."""
    (process,) = check._processing_map().values()
    try:
        return process(tree)
    except Exception:  # noqa: BLE001  # whatever it is, the original raises the right one
        return ORIGINALS["traverse"](check, tree)


_node_types: dict[type, bool] = {}


def _is_node(value: Any) -> bool:
    """Return `isinstance(value, Node)`, which is slow for an abstract class."""
    kind = type(value)
    if kind not in _node_types:
        _node_types[kind] = issubclass(kind, ast_nodes.Node)
    return _node_types[kind]


def _copy_tree(tree: Any) -> Any:
    """Replace `copy.deepcopy` in moto's validators, which copies the syntax tree of each expression before its use."""
    if not _is_node(tree):
        return copy.deepcopy(tree)
    result = object.__new__(type(tree))
    vars(result).update(vars(tree))
    if tree.children is not None:
        result.children = [_copy_tree(child) if _is_node(child) else child for child in tree.children]
        for child in result.children:
            if _is_node(child):
                child.parent = result
    return result


_processed: dict[tuple[type, type], Any] = {}


def _processed_as(traverser: Any, node: Any, kinds: Iterable[type]) -> Any:
    """Return as which of these kinds a traverser processes a node, or None."""
    key = (type(traverser), type(node))
    if key not in _processed:
        _processed[key] = next((kind for kind in kinds if issubclass(type(node), kind)), None)
    return _processed[key]


def _traverse(traverser: Any, tree: Any) -> Any:
    """Process the nodes of a syntax tree, as the original function does, children first. There, `isinstance` with
    abstract classes takes most of the time."""
    processors = traverser._processing_map()
    enter = traverser.pre_processing_of_child
    enters = type(traverser).pre_processing_of_child is not ast_nodes.DepthFirstTraverser.pre_processing_of_child

    def visit(node: Any, child_id: int) -> Any:
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            if enters:
                enter(node, number)
            if _is_node(child):
                visit(child, number)
        kind = _processed_as(traverser, node, processors)
        if kind is not None:
            node = processors[kind](node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    return visit(tree, -1) if _is_node(tree) else tree
