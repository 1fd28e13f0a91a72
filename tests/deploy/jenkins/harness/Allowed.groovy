/** The sections, steps and parameters that a Jenkinsfile may use. */
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
