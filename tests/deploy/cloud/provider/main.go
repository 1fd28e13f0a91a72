// A stand-in for the AWS provider, so that Terraform itself validates, plans and applies the modules without an account.
//
// Its schema is the real provider's (SOUK_AWS_SCHEMA names the file that tests/deploy/cloud extracts). It makes nothing: what
// AWS would have computed (ARNs, ids, addresses) it computes from the resource's type and name, the same in every run.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func main() {
	text, err := os.ReadFile(os.Getenv("SOUK_AWS_SCHEMA"))
	if err != nil {
		log.Fatal(err)
	}
	var sources catalogue
	if err := json.Unmarshal(text, &sources); err != nil {
		log.Fatal(err)
	}
	// The address is only a name in logs: Terraform finds this program by its development override.
	err = tf6server.Serve("souk.dev/stand-in/aws", func() tfprotov6.ProviderServer { return &provider{sources: sources} })
	if err != nil {
		log.Fatal(err)
	}
}

// provider answers what planning and applying need; the rest of the protocol is never called.
type provider struct {
	tfprotov6.ProviderServer
	sources catalogue
}

func (p *provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	answer := &tfprotov6.GetMetadataResponse{ServerCapabilities: capabilities()}
	for name := range p.sources.Resources {
		answer.Resources = append(answer.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range p.sources.Data {
		answer.DataSources = append(answer.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	for name := range p.sources.Ephemeral {
		answer.EphemeralResources = append(answer.EphemeralResources, tfprotov6.EphemeralResourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	answer := &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities:       capabilities(),
		Provider:                 p.sources.Provider.schema(),
		ResourceSchemas:          map[string]*tfprotov6.Schema{},
		DataSourceSchemas:        map[string]*tfprotov6.Schema{},
		EphemeralResourceSchemas: map[string]*tfprotov6.Schema{},
	}
	for name, block := range p.sources.Resources {
		answer.ResourceSchemas[name] = block.schema()
	}
	for name, block := range p.sources.Data {
		answer.DataSourceSchemas[name] = block.schema()
	}
	for name, block := range p.sources.Ephemeral {
		answer.EphemeralResourceSchemas[name] = block.schema()
	}
	return answer, nil
}

func capabilities() *tfprotov6.ServerCapabilities {
	return &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true}
}

func (p *provider) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) ValidateProviderConfig(_ context.Context, request *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func (p *provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (p *provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p *provider) UpgradeResourceState(_ context.Context, request *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	kind := p.sources.Resources[request.TypeName].schema().ValueType()
	value, err := request.RawState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	state, err := dynamic(kind, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: state}, err
}

func (p *provider) ReadResource(_ context.Context, request *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: request.CurrentState, Private: request.Private}, nil
}

// PlanResourceChange leaves open what the real provider would only know after making the resource.
func (p *provider) PlanResourceChange(_ context.Context, request *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	block := p.sources.Resources[request.TypeName]
	kind := block.schema().ValueType()
	proposed, err := request.ProposedNewState.Unmarshal(kind)
	if err != nil || proposed.IsNull() {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: request.ProposedNewState}, err
	}
	planned, err := block.open(proposed)
	if err != nil {
		return nil, err
	}
	state, err := dynamic(kind, planned)
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: state}, err
}

func (p *provider) ApplyResourceChange(_ context.Context, request *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	kind := p.sources.Resources[request.TypeName].schema().ValueType()
	state, err := p.computed(request.TypeName, kind, request.PlannedState)
	return &tfprotov6.ApplyResourceChangeResponse{NewState: state}, err
}

func (p *provider) ReadDataSource(_ context.Context, request *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	state, err := p.read("data."+request.TypeName, p.sources.Data[request.TypeName], request.Config)
	return &tfprotov6.ReadDataSourceResponse{State: state}, err
}

func (p *provider) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

func (p *provider) OpenEphemeralResource(_ context.Context, request *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	result, err := p.read("ephemeral."+request.TypeName, p.sources.Ephemeral[request.TypeName], request.Config)
	return &tfprotov6.OpenEphemeralResourceResponse{Result: result}, err
}

func (p *provider) CloseEphemeralResource(context.Context, *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{}, nil
}

// read answers what was asked for in a configuration.
func (p *provider) read(address string, block block, asked *tfprotov6.DynamicValue) (*tfprotov6.DynamicValue, error) {
	kind := block.schema().ValueType()
	config, err := asked.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	planned, err := block.open(config)
	if err != nil {
		return nil, err
	}
	open, err := dynamic(kind, planned)
	if err != nil {
		return nil, err
	}
	return p.computed(address, kind, open)
}

func (p *provider) computed(address string, kind tftypes.Type, planned *tfprotov6.DynamicValue) (*tfprotov6.DynamicValue, error) {
	value, err := planned.Unmarshal(kind)
	if err != nil || value.IsNull() {
		return planned, err
	}
	closed, err := answers{address: address, fixed: p.sources.Answers[address]}.close(value)
	if err != nil {
		return nil, err
	}
	return dynamic(kind, closed)
}

func dynamic(kind tftypes.Type, value tftypes.Value) (*tfprotov6.DynamicValue, error) {
	made, err := tfprotov6.NewDynamicValue(kind, value)
	return &made, err
}
