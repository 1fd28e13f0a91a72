/*
 * Evaluates declarative Jenkinsfiles without a Jenkins, and writes down every step.
 *
 * A line of JSON on standard input is a build: {"jenkinsfile": text, "build": {...}}. A line of JSON answers it:
 * {"invalid": why Jenkins would not begin, "result": "SUCCESS", "events": [...]}. What a build may say:
 *
 *   environment   variables that Jenkins gives (BRANCH_NAME, TAG_NAME, ...)
 *   secrets       credentials by their ids
 *   files         what steps find in a workspace after a checkout, by path
 *   sh            regular expression of a command to how it ends: "FAILURE" or "ABORTED" (a timeout, or somebody)
 *   inputs        message of an input to how it is answered: "ABORTED" instead of an approval
 *   previous      the result of the build before
 *
 * It is as strict as Jenkins' own validation where the Jenkinsfile goes: unknown sections, steps and parameters are refused. It knows
 * nothing of Jenkins' sandbox nor of what plugins really do.
 */
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.CompilationFailedException
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.runtime.InvokerHelper

class Invalid extends RuntimeException {
  Invalid(String why) { super(why) }
}

/** A step that ended badly, and how the stage ends for it. */
class Stopped extends RuntimeException {
  String result

  Stopped(String result, String why) {
    super(why)
    this.result = result
  }
}

class Allowed {
  static final Map<String, List<String>> SECTIONS = [
    pipeline: ['agent', 'options', 'environment', 'stages', 'post'],
    stages: ['stage'],
    parallel: ['stage'],
    stage: ['agent', 'options', 'environment', 'stages', 'steps', 'parallel', 'failFast', 'when', 'input', 'post'],
    agent: ['kubernetes', 'label'],
    kubernetes: ['yamlFile', 'defaultContainer', 'inheritFrom', 'cloud', 'serviceAccount'],
    'pipeline options': ['buildDiscarder', 'disableConcurrentBuilds', 'parallelsAlwaysFailFast', 'preserveStashes', 'skipDefaultCheckout',
                         'timeout', 'timestamps'],
    'stage options': ['lock', 'timeout', 'timestamps', 'skipDefaultCheckout'],
    when: ['branch', 'tag', 'buildingTag', 'expression', 'anyOf', 'allOf', 'not', 'beforeAgent', 'beforeInput', 'beforeOptions'],
    input: ['message', 'ok', 'submitter', 'submitterParameter', 'id'],
    post: ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful', 'cleanup'],
  ]
  static final Map<String, List<String>> STEPS = [
    archiveArtifacts: ['artifacts', 'allowEmptyArchive', 'excludes', 'fingerprint', 'onlyIfSuccessful'],
    junit: ['testResults', 'allowEmptyResults', 'skipPublishingChecks'],
    recordCoverage: ['tools', 'id', 'name', 'ignoreParsingErrors', 'qualityGates', 'sourceCodeRetention'],
    sh: ['script', 'label', 'returnStdout', 'returnStatus', 'encoding'],
    stash: ['name', 'includes', 'excludes', 'allowEmpty', 'useDefaultExcludes'],
    unstash: ['name'],
    timeout: ['time', 'unit', 'activity'],
    lock: ['resource', 'label', 'quantity', 'inversePrecedence', 'variable'],
    podTemplate: ['yaml', 'cloud', 'inheritFrom', 'label', 'serviceAccount'],
  ]
  static final List<String> WORST = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'ABORTED']
  static final Map<String, Integer> MINUTES = [MINUTES: 1, HOURS: 60, DAYS: 24 * 60]

  static void parameters(String step, Map given) {
    def unknown = given.keySet().find { !(it in STEPS[step]) }
    if (unknown) throw new Invalid("${step} has no parameter ${unknown}")
  }

  static int minutes(Map given) {
    parameters('timeout', given)
    if (!(given.time instanceof Integer) || !(given.unit in MINUTES)) throw new Invalid("timeout needs time and unit, not ${given}")
    return given.time * MINUTES[given.unit]
  }
}

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

/** Gathers the assignments of an `environment` section. */
class Assignments {
  final Map values = [:]

  void setProperty(String name, Object value) { values[name] = value.toString() }
}

class Environment {
  private final Map own = [:]
  private final List<Map> overlays = []

  Environment(Map given) { own.putAll(given) }

  Object getProperty(String name) {
    def found = overlays.reverse().find { it.containsKey(name) }
    return found ? found[name] : own[name]
  }

  void setProperty(String name, Object value) { own[name] = value == null ? null : value.toString() }

  void with(Map values, Closure work) {
    overlays << values
    try {
      work()
    } finally {
      overlays.remove(overlays.size() - 1)
    }
  }
}

/** One build: the state that steps share, and the order in which Jenkins evaluates a stage. */
class Build {
  final Map told
  final Environment env
  final List<Map> events = []
  final List<String> path = [], locks = [], bound = []
  final List<Integer> limits = []
  final Map<String, String> stashes = [:]
  final List<Map> agents = []
  final Map options = [:]
  Section model
  boolean stepsAllowed = false
  boolean interrupted = false
  String result = 'SUCCESS'
  String displayName = ''

  Build(Map told) {
    this.told = told
    this.env = new Environment(told.environment ?: [:])
  }

  void record(String type, Map about = [:]) {
    events << ([type: type, stage: path ? path[-1] : '', path: path.join('/'), locks: locks.collect(), limits: limits.collect(),
                agent: agents ? agents[-1].yamlFile : null, container: agents ? agents[-1].container : null,
                credentials: bound.collect(), role: env.getProperty('AWS_ROLE_ARN')] + about)
  }

  void worsen(String other) {
    if (Allowed.WORST.indexOf(other) > Allowed.WORST.indexOf(result)) result = other
  }

  Map workspace() {
    if (!agents) throw new Stopped('FAILURE', 'there is no agent here')
    return agents[-1]
  }

  // --- what is declared

  void validate() {
    if (!model.given('agent')) throw new Invalid('pipeline has no agent')
    if (!model.given('stages')) throw new Invalid('pipeline has no stages')
    names(model.value('stages'), 'stages', []).with { all ->
      def repeated = all.countBy { it }.find { it.value > 1 }
      if (repeated) throw new Invalid("two stages are called ${repeated.key}")
    }
    if (model.given('post')) Section.of('post', model.value('post'))
    if (model.given('options')) Section.of('pipeline options', model.value('options'))
  }

  private List<String> names(Closure body, String kind, List<String> outer) {
    def inside = Section.of(kind, body).calls
    if (!inside) throw new Invalid("${kind} is empty")
    return inside.collectMany { call ->
      if (call.given.size() != 2) throw new Invalid("a stage has a name and a body: ${call.given}")
      def stage = Section.of('stage', call.given[1])
      def bodies = ['steps', 'stages', 'parallel'].findAll { stage.given(it) }
      if (bodies.size() != 1) throw new Invalid("${call.given[0]} has ${bodies ?: 'neither steps nor stages nor parallel'}")
      if (bodies[0] == 'parallel' && (outer.contains('parallel') || stage.given('agent'))) {
        throw new Invalid("${call.given[0]}: parallel stages have no agent around them, and no parallel stages in them")
      }
      if (stage.given('post')) Section.of('post', stage.value('post'))
      if (stage.given('options')) Section.of('stage options', stage.value('options'))
      if (stage.given('when')) Section.of('when', stage.value('when'))
      if (stage.given('input')) Section.of('input', stage.value('input'))
      def below = bodies[0] == 'steps' ? [] : names(stage.value(bodies[0]), bodies[0], outer + bodies)
      return [call.given[0] as String] + below
    }
  }

  // --- what is run

  void run() {
    validate()
    def declared = model.given('options') ? Section.of('pipeline options', model.value('options')) : new Section('pipeline options')
    declared.calls.each { options[it.name] = it.given ? it.given[0] : true }
    def values = assigned(model)
    env.with(values) {
      limited(declared) {
        onAgent(model) {
          try {
            stagesOf(model.value('stages'))
          } catch (Stopped stopped) {
            worsen(stopped.result)
            record('stopped', [why: stopped.message, result: stopped.result])
          }
          post(model, result, told.previous)
        }
      }
    }
  }

  private void stagesOf(Closure body) {
    Section.of('stages', body).calls.each { stage(it.given[0] as String, Section.of('stage', it.given[1])) }
  }

  private void parallelOf(Closure body, boolean failFast) {
    def stopped = null
    record('parallel')
    Section.of('parallel', body).calls.each {
      try {
        stage(it.given[0] as String, Section.of('stage', it.given[1]))
      } catch (Stopped failed) {
        stopped = stopped ?: failed
        // The others were running all the time; from here on they are ended.
        interrupted = failFast
      }
    }
    interrupted = false
    if (stopped) throw stopped
  }

  private void stage(String name, Section stage) {
    path << name
    def when = stage.given('when') ? Section.of('when', stage.value('when')) : null
    def declared = stage.given('options') ? Section.of('stage options', stage.value('options')) : new Section('stage options')
    try {
      if (when?.value('beforeOptions') && !holds(when)) return
      limited(declared) {
        locked(declared) {
          if (when?.value('beforeInput') && !holds(when)) return
          if (stage.given('input')) asked(Section.of('input', stage.value('input')))
          if (when?.value('beforeAgent') && !holds(when)) return
          onAgent(stage) {
            if (when && !holds(when)) return
            env.with(assigned(stage)) { body(stage) }
          }
        }
      }
    } finally {
      path.remove(path.size() - 1)
    }
  }

  private void body(Section stage) {
    record('stage')
    def ended = 'SUCCESS'
    def failure = null
    try {
      if (stage.given('steps')) steps(stage.value('steps'))
      if (stage.given('stages')) stagesOf(stage.value('stages'))
      if (stage.given('parallel')) parallelOf(stage.value('parallel'), options.parallelsAlwaysFailFast || stage.value('failFast'))
    } catch (Stopped stopped) {
      ended = stopped.result
      failure = stopped
      // What ends with a neighbour says nothing about the build.
      if (!interrupted) worsen(ended)
    }
    post(stage, ended, null)
    if (failure) throw failure
  }

  private void post(Section of, String ended, String before) {
    if (!of.given('post')) return
    def conditions = Section.of('post', of.value('post')).calls.collectEntries { [it.name, it.given[0]] }
    def applies = [
      always: true, changed: before && before != ended, fixed: before && before != 'SUCCESS' && ended == 'SUCCESS',
      regression: before == 'SUCCESS' && ended != 'SUCCESS', aborted: ended == 'ABORTED', failure: ended == 'FAILURE',
      success: ended == 'SUCCESS', unstable: ended == 'UNSTABLE', unsuccessful: ended != 'SUCCESS', cleanup: true,
    ]
    // What follows a failure is not ended with its neighbours.
    def ending = interrupted
    interrupted = false
    Allowed.SECTIONS.post.findAll { conditions[it] && applies[it] }.each { condition ->
      path << "post ${condition}"
      try {
        steps(conditions[condition])
      } catch (Stopped stopped) {
        worsen('FAILURE')
        record('stopped', [why: stopped.message, result: stopped.result])
      } finally {
        path.remove(path.size() - 1)
      }
    }
    interrupted = ending
  }

  private void steps(Closure body) {
    stepsAllowed = true
    try {
      body()
    } finally {
      stepsAllowed = false
    }
  }

  private Map assigned(Section of) {
    def assignments = new Assignments()
    if (of.given('environment')) {
      def copy = of.value('environment').clone()
      copy.delegate = assignments
      copy.resolveStrategy = Closure.DELEGATE_FIRST
      copy()
    }
    return assignments.values
  }

  private void limited(Section declared, Closure work) {
    def minutes = declared.given('timeout') ? Allowed.minutes(declared.value('timeout')) : null
    if (minutes) limits << minutes
    try {
      work()
    } finally {
      if (minutes) limits.remove(limits.size() - 1)
    }
  }

  private void locked(Section declared, Closure work) {
    declared.given('lock') ? lock(declared.value('lock'), work) : work()
  }

  void lock(Map given, Closure work) {
    Allowed.parameters('lock', given)
    if (!given.resource) throw new Invalid("lock needs a resource, not ${given}")
    record('lock', [resource: given.resource])
    locks << given.resource
    try {
      work()
    } finally {
      locks.remove(locks.size() - 1)
      record('unlock', [resource: given.resource])
    }
  }

  private void onAgent(Section of, Closure work) {
    def wanted = of.value('agent')
    if (!(wanted instanceof Closure)) {
      if (wanted && wanted != 'none') throw new Invalid("agent ${wanted}")
      work()
      return
    }
    def kubernetes = Section.of('agent', wanted).value('kubernetes')
    if (!kubernetes) throw new Invalid('an agent is of Kubernetes here')
    def pod = Section.of('kubernetes', kubernetes)
    agent([yamlFile: pod.value('yamlFile'), container: pod.value('defaultContainer')], work)
  }

  void agent(Map wanted, Closure work) {
    agents << (wanted + [files: [:], checkedOut: false])
    record('agent')
    try {
      work()
    } finally {
      record('agent ends', [files: agents[-1].files.keySet() as List, checkedOut: agents[-1].checkedOut])
      agents.remove(agents.size() - 1)
    }
  }

  private void asked(Section input) {
    def message = input.value('message')
    if (!message) throw new Invalid('an input has no message')
    record('input', [message: message, submitter: input.value('submitter')])
    def answer = told.inputs?.find { message =~ it.key }?.value ?: 'approved'
    if (answer != 'approved') throw new Stopped('ABORTED', "input: ${answer}")
    if (input.value('submitterParameter')) env.setProperty(input.value('submitterParameter'), 'somebody')
  }

  private boolean holds(Section when) {
    def tests = when.calls.findAll { !it.name.startsWith('before') }
    if (!tests) throw new Invalid('when asks nothing')
    return tests.every { holdsOne(it) }
  }

  private boolean holdsOne(Map call) {
    switch (call.name) {
      case 'branch': return env.getProperty('BRANCH_NAME') == call.given[0]
      case 'tag': return env.getProperty('TAG_NAME') == call.given[0]
      case 'buildingTag': return env.getProperty('TAG_NAME') != null
      case 'expression': return call.given[0]() as boolean
      case 'not': return !holds(Section.of('when', call.given[0]))
      case 'allOf': return holds(Section.of('when', call.given[0]))
      case 'anyOf': return Section.of('when', call.given[0]).calls.any { holdsOne(it) }
    }
  }
}

class CurrentBuild {
  private final Build build

  CurrentBuild(Build build) { this.build = build }

  String getCurrentResult() { build.result }

  String getDisplayName() { build.displayName }

  void setDisplayName(String name) { build.displayName = name }
}

/** What a Jenkinsfile is compiled to: its steps, and nothing else that it could call. */
abstract class Steps extends Script {
  Build getBuild() { binding.getVariable('build') }

  void pipeline(Closure body) {
    if (build.model) throw new Invalid('there are two pipelines')
    build.model = Section.of('pipeline', body)
  }

  def propertyMissing(String name) {
    if (name in ['none', 'any']) return name
    def value = build.env.getProperty(name)
    if (value == null) throw new MissingPropertyException(name, getClass())
    return value
  }

  def methodMissing(String name, Object given) {
    throw new Invalid("No such DSL method '${name}' found among steps")
  }

  private void step(String name, Map about = [:]) {
    if (!build.stepsAllowed) throw new Invalid("${name} is a step and stands outside of steps")
    if (build.interrupted) throw new Stopped('ABORTED', 'ended with its neighbours')
    build.record(name, about)
  }

  private Map named(String step, Map given) {
    Allowed.parameters(step, given)
    return given
  }

  void sh(String text) { sh(script: text) }

  void sh(Map given) {
    def text = named('sh', given).script as String
    step('sh', [text: text, variables: ['STATUS', 'VERSION', 'JUNIT', 'COVERAGE'].collectEntries { [it, build.env.getProperty(it)] }])
    def here = build.workspace()
    if (!here.checkedOut) throw new Stopped('FAILURE', "${text}: there is no Makefile here")
    def ends = build.told.sh?.find { text =~ it.key }?.value
    if (ends) throw new Stopped(ends, text)
    (build.told.files ?: [:]).each { path, content -> here.files[path] = content }
  }

  void echo(String text) { step('echo', [text: text]) }

  void error(String text) {
    step('error', [text: text])
    throw new Stopped('FAILURE', text)
  }

  void checkout(Object scm) {
    step('checkout')
    build.workspace().checkedOut = true
  }

  void script(Closure work) { work() }

  void deleteDir() {
    step('deleteDir')
    build.workspace().files.clear()
    build.workspace().checkedOut = false
  }

  String readFile(String path) {
    step('readFile', [path: path])
    def content = build.workspace().files[path]
    if (content == null) throw new Stopped('FAILURE', "${path} is not there")
    return content
  }

  boolean fileExists(String path) {
    step('fileExists', [path: path])
    return build.workspace().files.containsKey(path)
  }

  String readTrusted(String path) {
    step('readTrusted', [path: path])
    return "yaml of ${path}"
  }

  void archiveArtifacts(Map given) { step('archiveArtifacts', named('archiveArtifacts', given)) }

  void junit(Map given) { step('junit', named('junit', given)) }

  void recordCoverage(Map given) { step('recordCoverage', named('recordCoverage', given)) }

  void stash(Map given) {
    step('stash', named('stash', given))
    build.workspace()
    build.stashes[given.name] = given.includes
  }

  void unstash(String name) {
    step('unstash', [name: name])
    build.workspace()
    if (!build.stashes.containsKey(name)) throw new Stopped('FAILURE', "there is no stash ${name}")
  }

  void timeout(Map given, Closure work) {
    step('timeout')
    build.limits << Allowed.minutes(given)
    try {
      work()
    } finally {
      build.limits.remove(build.limits.size() - 1)
    }
  }

  void lock(Map given, Closure work) {
    step('lock step')
    build.lock(given, work)
  }

  void withEnv(List<String> assignments, Closure work) {
    step('withEnv')
    build.env.with(assignments.collectEntries { it.toString().split('=', 2) as List }, work)
  }

  void withCredentials(List<Map> bindings, Closure work) {
    step('withCredentials', [ids: bindings.collect { it.credentialsId }])
    def values = bindings.collectEntries { binding ->
      def secret = build.told.secrets?.get(binding.credentialsId)
      if (secret == null) throw new Stopped('FAILURE', "there is no credential ${binding.credentialsId}")
      [binding.variable, secret]
    }
    build.bound.addAll(values.keySet())
    try {
      build.env.with(values, work)
    } finally {
      values.each { build.bound.remove(build.bound.size() - 1) }
    }
  }

  Map string(Map given) { [kind: 'string'] + given }

  Map file(Map given) { [kind: 'file'] + given }

  Map logRotator(Map given) { given }

  void podTemplate(Map given, Closure work) {
    step('podTemplate')
    named('podTemplate', given)
    build.env.with([POD_LABEL: given.yaml], work)
  }

  void node(String label, Closure work) {
    step('node')
    build.agent([yamlFile: label - 'yaml of ', container: null], work)
  }

  void container(String name, Closure work) {
    step('container', [name: name])
    def here = build.workspace()
    def before = here.container
    here.container = name
    try {
      work()
    } finally {
      here.container = before
    }
  }
}

class Compiled {
  private static String text
  private static Class made

  /** The Jenkinsfile as a class; many builds of one come one after the other. */
  static Class of(String jenkinsfile) {
    if (jenkinsfile != text) {
      def loader = new GroovyClassLoader(Compiled.classLoader, new CompilerConfiguration(scriptBaseClass: Steps.name))
      made = loader.parseClass(jenkinsfile, 'Jenkinsfile')
      text = jenkinsfile
    }
    return made
  }
}

/** Evaluates one build. */
Map evaluated(Map asked) {
  def build = new Build(asked.build)
  def binding = new Binding([build: build, env: build.env, scm: [:], currentBuild: new CurrentBuild(build)])
  def invalid = null
  try {
    InvokerHelper.createScript(Compiled.of(asked.jenkinsfile), binding).run()
    if (!build.model) throw new Invalid('there is no pipeline')
    build.run()
  } catch (Invalid | MissingPropertyException | MissingMethodException | CompilationFailedException refused) {
    invalid = refused.message
  }
  return [invalid: invalid, result: build.result, events: build.events, displayName: build.displayName, options: build.options]
}

def answers = System.out
System.setOut(System.err)
System.in.newReader('UTF-8').eachLine { line ->
  answers.println(JsonOutput.toJson(evaluated(new JsonSlurper().parseText(line) as Map)))
  answers.flush()
}
