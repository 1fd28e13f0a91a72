/** Gathers the calls of one section, in order; whatever is not of the section is left to the script. */
class Section {
  final String kind
  final List<Map> calls = []

  Section(String kind) { this.kind = kind }

  def methodMissing(String name, Object given) {
    if (!(name in Allowed.SECTIONS[kind])) throw new MissingMethodException(name, Section, given as Object[])
    calls << [name: name, given: given as List]
  }

  List<Object> given(String name) { calls.find { it.name == name }?.given }

  Object value(String name) {
    def found = given(name)
    return found ? found[0] : null
  }

  static Section of(String kind, Closure body) {
    def section = new Section(kind)
    def copy = body.clone()
    copy.delegate = section
    copy.resolveStrategy = Closure.DELEGATE_FIRST
    copy()
    def repeated = section.calls.countBy { it.name }.find { it.value > 1 && !(it.key in ['stage', 'expression', 'branch', 'tag', 'not']) }
    if (repeated) throw new Invalid("${kind} has ${repeated.key} twice")
    return section
  }
}
