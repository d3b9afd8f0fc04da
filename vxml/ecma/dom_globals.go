package ecma

import "github.com/dop251/goja"

// nodeTypes are the constants of DOM's Node, which every node has, too.
var nodeTypes = map[string]int{
	"ELEMENT_NODE": domElement, "ATTRIBUTE_NODE": domAttr, "TEXT_NODE": domText, "CDATA_SECTION_NODE": 4, "ENTITY_REFERENCE_NODE": 5,
	"ENTITY_NODE": 6, "PROCESSING_INSTRUCTION_NODE": domProcInst, "COMMENT_NODE": domComment, "DOCUMENT_NODE": domDocument,
	"DOCUMENT_TYPE_NODE": 10, "DOCUMENT_FRAGMENT_NODE": 11, "NOTATION_NODE": 12,
}

// domIndexSize is the code of a DOMException about a place that is not in a text.
const domIndexSize = 1

// exceptionCodes are the constants of DOMException.
var exceptionCodes = map[string]int{
	"INDEX_SIZE_ERR": domIndexSize, "DOMSTRING_SIZE_ERR": 2, "HIERARCHY_REQUEST_ERR": 3, "WRONG_DOCUMENT_ERR": 4, "INVALID_CHARACTER_ERR": 5,
	"NO_DATA_ALLOWED_ERR": 6, "NO_MODIFICATION_ALLOWED_ERR": 7, "NOT_FOUND_ERR": 8, "NOT_SUPPORTED_ERR": 9, "INUSE_ATTRIBUTE_ERR": 10,
	"INVALID_STATE_ERR": 11, "SYNTAX_ERR": 12, "INVALID_MODIFICATION_ERR": 13, "NAMESPACE_ERR": 14, "INVALID_ACCESS_ERR": 15,
}

// domGlobals makes Node and DOMException, which hold the constants of DOM Level 2's ECMAScript binding. They are there as
// soon as there is a document.
func (vm *VM) domGlobals() {
	g := vm.rt.GlobalObject()
	if g.Get("Node") != nil {
		return
	}
	for name, constants := range map[string]map[string]int{"Node": nodeTypes, "DOMException": exceptionCodes} {
		o := vm.rt.NewObject()
		for constant, v := range constants {
			_ = o.Set(constant, v)
		}
		vm.Freeze(o)
		_ = g.Set(name, o)
	}
}

// domException makes what a method of the DOM throws.
func (vm *VM) domException(code int, name string) *goja.Object {
	e := vm.rt.NewObject()
	_ = e.Set("code", code)
	_ = e.Set("name", name)
	_ = e.Set("toString", func() string { return "DOMException: " + name })
	return e
}
